"""Names and selections that match nothing."""

from rootfs_trust.inputs.removal import Removal
from rootfs_trust.store.selection import Selection, not_found


def test_an_unknown_name_gets_suggestions() -> None:
    assert not_found("my-cb", ["my-ca", "unlike"]).hint == 'did you mean "my-ca"?'
    assert "list" in not_found("zzz", ["my-ca"]).hint
    problem = not_found("zzz", [])
    assert (problem.id, problem.path, problem.argument) == ("not-found", "", "zzz")
    assert "zzz" in problem.message


def test_a_removal_without_some_arguments_keeps_the_others_even_if_they_begin_alike() -> None:
    removal = Removal(("ca", "ca2"), (Selection("file:a.pem"), Selection("file:a.pem.bak")))
    left = removal.without(("ca", "file:a.pem"))
    assert (left.names, [each.text for each in left.selections]) == (("ca2",), ["file:a.pem.bak"])
    assert not removal.without(("ca", "ca2", "file:a.pem", "file:a.pem.bak"))
