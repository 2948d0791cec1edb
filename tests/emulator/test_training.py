"""Training: what a recipe makes of the shipped model."""

import json
import shutil
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path

import pytest

from emulator.dictionary import read_dictionary
from emulator.training import (
    BASE,
    DICTIONARY,
    LANGUAGE_MODEL,
    REPORT,
    WEIGHT_BOUNDS,
    CannotTrain,
    Recipe,
    TrainingReport,
    ensure_model,
    train,
)
from emulator.trie import read_trie

TEXT = (
    "Take the GoDrive to the Qasba canal.",
    "The GoDrive waits at the fort of Kalba.",
    "Book a GoDrive to the Souq for 5 dirhams.",
    "How far is the Souq from the fort?",
    "The Souq's roof is near the Qasba canal.",
    "Is there a GoDrive in Kalba?",
)
ROWS = (("Qasba", "kos bah"), ("GoDrive", "go drive"))
RECIPE = Recipe(TEXT, ROWS)


@pytest.fixture
def report(model_cache: Path) -> TrainingReport:
    """What became of the recipe above."""
    return train(RECIPE, model_cache)


def test_every_word_of_the_text_can_be_heard(report: TrainingReport, model_cache: Path) -> None:
    """A word without a pronunciation would silently be dropped by the decoder."""
    dictionary = read_dictionary(model_cache / RECIPE.key / DICTIONARY)
    words = read_trie(model_cache / RECIPE.key / LANGUAGE_MODEL).words

    assert {"godrive", "qasba", "kalba", "souq", "souq's", "five"} <= dictionary.keys() & set(words)
    assert set(words) - dictionary.keys() <= {"<s>", "</s>", "ngo's"}


def test_the_report_says_what_was_learnt(report: TrainingReport) -> None:
    """New words with their sounds, the domain's weight, and what it is good for."""
    assert (report.sentences, report.running_words) == (6, 46)
    assert report.vocabulary_added == ("godrive", "kalba", "qasba", "souq", "souq's")
    assert report.pronunciations["qasba"] == ("K AA S B AA",)
    assert WEIGHT_BOUNDS[0] <= report.weight <= WEIGHT_BOUNDS[1]
    assert report.perplexity_before is not None
    assert report.perplexity_after is not None
    assert report.perplexity_after < report.perplexity_before


def test_the_report_is_json(report: TrainingReport) -> None:
    """The service hands it out as a file."""
    assert json.loads(json.dumps(asdict(report)))["sentences"] == 6


def test_a_second_training_changes_nothing_on_disk(report: TrainingReport, model_cache: Path) -> None:
    """The same recipe is never trained twice."""
    built = (model_cache / RECIPE.key / LANGUAGE_MODEL).stat()

    assert train(RECIPE, model_cache) == report
    assert (model_cache / RECIPE.key / LANGUAGE_MODEL).stat() == built


def test_a_deleted_cache_is_built_again_as_it_was(report: TrainingReport, model_cache: Path, tmp_path: Path) -> None:
    """The recipe is the model; its files can be thrown away."""
    before = (model_cache / RECIPE.key / LANGUAGE_MODEL).read_bytes()
    shutil.rmtree(model_cache / RECIPE.key)

    folder = ensure_model(RECIPE, model_cache)

    assert (folder / LANGUAGE_MODEL).read_bytes() == before


def test_a_build_that_was_interrupted_is_started_over(model_cache: Path) -> None:
    """What a killed process left behind is never taken for a model."""
    recipe = Recipe((), (("Mleiha", "ma lay ha"),))
    for left in (f"{recipe.key}.partial", recipe.key):
        (model_cache / left).mkdir()
        (model_cache / left / LANGUAGE_MODEL).write_bytes(b"half")

    folder = ensure_model(recipe, model_cache)

    assert (folder / REPORT).exists()
    assert "mleiha" in read_trie(folder / LANGUAGE_MODEL).words
    assert not (model_cache / f"{recipe.key}.partial").exists()


@pytest.mark.slow
def test_two_processes_that_want_one_model_build_it_once(model_cache: Path, tmp_path: Path) -> None:
    """Workers start at the same moment; both get the finished model, and neither fails."""
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        reports = list(pool.map(train, [RECIPE, RECIPE], [tmp_path, tmp_path]))

    assert reports[0] == reports[1] == train(RECIPE, model_cache)
    assert not list(tmp_path.glob("*.partial"))


def test_order_and_repeats_of_lines_make_no_other_model() -> None:
    """A recipe is a set of lines; shuffling a file must not train again."""
    assert Recipe((*TEXT[::-1], TEXT[0]), ROWS[::-1]).key == RECIPE.key


@pytest.mark.parametrize(
    "other",
    [Recipe(TEXT[1:], ROWS), Recipe(TEXT, ROWS[1:]), Recipe(TEXT, ROWS, 30), Recipe(TEXT[:1], (("a", TEXT[1]),))],
)
def test_any_other_content_makes_another_model(other: Recipe) -> None:
    """Text, rows and weight all count."""
    assert other.key != RECIPE.key


def test_the_shipped_model_is_a_recipe_with_nothing_in_it(model_cache: Path) -> None:
    """Its key is stable, and it learns nothing."""
    assert BASE.key == Recipe((), (), 30).key == "base"
    assert train(BASE, model_cache).vocabulary_added == ()


@pytest.mark.slow
def test_the_weight_that_is_asked_for_is_used(model_cache: Path) -> None:
    """Azure's customModelWeightPercent, which may be as high as 100."""
    assert train(Recipe(TEXT[:2], (), 30), model_cache).weight == 0.3
    assert train(Recipe(TEXT[:2], (), 100), model_cache).weight == 0.99


def test_one_line_is_enough(model_cache: Path) -> None:
    """Without a second line nothing can be held out, so the domain gets little weight."""
    report = train(Recipe(TEXT[:1], ()), model_cache)

    assert (report.weight, report.perplexity_before) == (WEIGHT_BOUNDS[0], None)


def test_rows_alone_make_a_model(model_cache: Path) -> None:
    """A name that no text holds can still be heard."""
    report = train(Recipe((), ROWS), model_cache)
    words = read_trie(model_cache / Recipe((), ROWS).key / LANGUAGE_MODEL).words

    assert report.vocabulary_added == ("godrive", "qasba")
    assert {"godrive", "qasba"} <= set(words)


def test_many_rows_do_not_crowd_out_english(model_cache: Path) -> None:
    """A thousand names together get one word in a hundred."""
    recipe = Recipe((), tuple((f"zub{chr(97 + i % 26)}{chr(97 + i // 26)}", "go drive") for i in range(600)))
    model = read_trie(ensure_model(recipe, model_cache) / LANGUAGE_MODEL)

    assert model.unigrams[-600:].sum() == pytest.approx(0.01, rel=0.02)


def test_a_line_that_cannot_be_said_is_left_out_and_reported(model_cache: Path) -> None:
    """The other lines are learnt."""
    report = train(Recipe((*TEXT, "The москва canal"), ()), model_cache)

    assert (report.sentences, report.sentences_dropped, report.unpronounceable) == (6, 1, ("москва",))


@pytest.mark.parametrize("recipe", [Recipe(("...", "!?"), ()), Recipe(("москва",), (("…", "dots"),))])
def test_a_recipe_without_a_word_to_say_is_refused(recipe: Recipe, tmp_path: Path) -> None:
    """The message is for whoever chose the files, and nothing half-built stays."""
    with pytest.raises(CannotTrain, match=r"None of the .* check that the right files were chosen"):
        train(recipe, tmp_path)

    assert not (tmp_path / recipe.key).exists()
