// Logs this browser in to Prefect's UI, which keeps its password under this name. The password stands behind the # of the link:
// browsers send that part to nobody. It is tried first, so that a foreign page cannot log anybody out by a wrong one.
const told = document.getElementById("told");
const password = location.hash.slice(1);
history.replaceState(null, "", location.pathname);
try {
  const login = btoa(decodeURIComponent(password));
  const answer = await fetch("api/admin/version", { headers: { Authorization: `Basic ${login}` } });
  if (!answer.ok) throw new Error();
  localStorage.setItem("prefect-password", login);
  location.replace("./");
} catch {
  told.textContent = "This link does not log you in. Type “speechops env --link” in the project's folder for one that does.";
}
