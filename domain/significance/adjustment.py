"""Many slices, many chances to look bad by accident: probabilities that are judged together."""

from collections.abc import Mapping


def holm(probabilities: Mapping[str, float]) -> dict[str, float]:
    """Holm's step-down adjustment ("A Simple Sequentially Rejective Multiple Test Procedure", 1979), in the order given.

    Names whose result is at most 0.05 can be called significant together: any false one among them has 5 %.

    >>> holm({"noisy": 0.01, "elderly": 0.04, "children": 0.03})
    {'noisy': 0.03, 'elderly': 0.06, 'children': 0.06}
    """
    adjusted: dict[str, float] = {}
    highest = 0.0
    ranked = sorted(probabilities, key=lambda name: (probabilities[name], name))
    for rank, name in enumerate(ranked):
        highest = max(highest, min(1.0, (len(ranked) - rank) * probabilities[name]))
        adjusted[name] = highest
    return {name: adjusted[name] for name in probabilities}
