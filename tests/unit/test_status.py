from hypothesis import given
from hypothesis import strategies as st

from penstock.model import status


@given(st.sampled_from(status.ALL))
def test_every_run_can_end(word: str) -> None:
    reached, pending = set(), [word]
    while pending:
        item = pending.pop()
        if item not in reached:
            reached.add(item)
            pending.extend(status.NEXT[item])
    assert reached & set(status.FINAL)


@given(st.sampled_from(status.ALL), st.sampled_from(status.ALL))
def test_before_is_next_the_other_way_round(word: str, following: str) -> None:
    assert (word in status.BEFORE[following]) == (following in status.NEXT[word])


def test_spellings_of_v1() -> None:
    assert status.pipeline_spelling("Completed") == status.step_spelling("Completed") == "Finished"
    assert status.pipeline_spelling("Queued") == "Running"
    assert status.step_spelling("Queued") == "Queued"
    assert {status.pipeline_spelling(word) for word in status.ALL} == {"NotStarted", "Running", "Failed", "Finished", "Canceled"}
