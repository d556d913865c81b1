"""A process that is killed before any of its writes to MongoDB leaves the dataset whole.

What is listed is whole at once; at the next call the dataset is as it was before, or as it would
have been.
"""

import os

import pytest

import tfdp
from tests.views.whole import check_nothing_is_left, check_whole, find_strays, look, make
from tfdp.views.mending import mend_runs

SCORE = 'tfdp.compute_shape_scores(dataset, "gt", progress=False)'
SCORE_SOME = 'tfdp.compute_shape_scores(dataset[1:], "gt", progress=False)'
SCORE_OTHERS = 'tfdp.compute_shape_scores(dataset[2:], "gt", brain_key="two", progress=False)'
PRUNE = 'tfdp.prune_view(dataset, keep=2, scorer="u", progress=False)'
PRUNE_AGAIN = (
    'tfdp.prune_view(dataset[1:], keep=1, scorer="u", overwrite=True, seed=1, progress=False)'
)

# every write is tried where this is 1; benchmarks/promises.py tries some at random
EVERY = int(os.environ.get("TFDP_KILL_EVERY", "4"))

# name -> what is there before, what is killed
OPERATIONS = {
    "score": ("", SCORE),
    "score again": (SCORE, SCORE_SOME),
    "score others into the same fields": (SCORE.replace("dataset,", "dataset[:2],"), SCORE_OTHERS),
    "prune": ("", PRUNE),
    "prune with overwrite": (PRUNE, PRUNE_AGAIN),
    "delete scores": (SCORE, 'dataset.delete_brain_run("shape_scores")'),
    "delete shared scores": (
        f"{SCORE.replace('dataset,', 'dataset[:2],')}; {SCORE_OTHERS}",
        'dataset.delete_brain_run("two")',
    ),
    "delete a pruned view": (PRUNE, 'dataset.delete_brain_run("pruned")'),
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_kill_before_any_write(make_dataset, run_killed, operation, caplog):
    before_code, code = OPERATIONS[operation]
    scope = {"tfdp": tfdp}
    strays = find_strays()  # of other tests
    dataset = make(make_dataset)
    exec(before_code, {**scope, "dataset": dataset})
    before = look(dataset)
    whole = dataset.clone()
    exec(code, {**scope, "dataset": whole})

    outcomes = set()
    for kill_at in range(1 + len(operation) % EVERY, 300, EVERY):
        done = run_killed(dataset, code, kill_at)
        check_whole(dataset)
        assert [v for v in look(dataset)["views"] if v[0] == "my view"]
        if done:
            break
        mend_runs(dataset)
        now = look(dataset)
        check_whole(dataset)
        check_nothing_is_left(strays)
        if now == before:
            outcomes.add("as it was")
            continue
        outcomes.add("finished")
        for key in dataset.list_brain_runs():
            dataset.delete_brain_run(key)
        exec(before_code, {**scope, "dataset": dataset})
    assert kill_at > 5
    assert look(dataset)["schema"] == look(whole)["schema"]
    assert outcomes <= {"as it was", "finished"}
    if EVERY == 1:
        assert outcomes == {"as it was", "finished"} or not before["runs"]
    assert "had been interrupted" in caplog.text
