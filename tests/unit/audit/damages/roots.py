"""Public roots that a table says something about."""

from __future__ import annotations

from datetime import timedelta

from tests.support.authority import Authority
from tests.support.root_data import TODAY, cloud_root, incident, left, root, table
from tests.support.root_data import concerned as _concerned
from tests.unit.audit.damages.damage import damage
from tests.unit.audit.good_tree import CA, TEDGE, TWINS, GoodTree

NOT_THERE = Authority("Root Not There")


@damage("root-compromised", root_data=table(incidents=(incident(_concerned(CA, "root")),)))
def an_incident_concerns_an_anchor(tree: GoodTree) -> None:
    """Nothing is done."""


@damage("root-compromised", root_data=table(incidents=(incident(_concerned(CA, "intermediate", by="spki")),)))
def the_key_of_an_anchor_leaked(tree: GoodTree) -> None:
    """Nothing is done."""


@damage("root-removed", root_data=table(root(CA, left=left())))
def a_root_left(tree: GoodTree) -> None:
    """Nothing is done."""


@damage("root-ends", "expires-soon", policy="min_days_left = 5500", root_data=table(root(CA)))
def the_image_has_to_last_longer(tree: GoodTree) -> None:
    """Nothing is done."""


@damage("root-ends", root_data=table(root(CA, distrust_after={"date": "2026-01-01", "source": "a list"})))
def new_certificates_of_a_root_are_not_trusted(tree: GoodTree) -> None:
    """Nothing is done."""


@damage("root-missing", root_data=table(root(CA), *map(root, TWINS), root(NOT_THERE)))
def most_of_the_program_is_there(tree: GoodTree) -> None:
    """Nothing is done."""


@damage("not-allowed", policy=f'allow_only = ["{CA.sha256}", "{TWINS[0].sha256}"]')
def an_anchor_is_not_allowed(tree: GoodTree) -> None:
    """Nothing is done."""


@damage("root-data-old", root_data=table(root(CA), made=TODAY - timedelta(days=91)))
def the_table_is_old(tree: GoodTree) -> None:
    """Nothing is done."""


@damage("cloud-root-missing", root_data=table(cloud_roots=[cloud_root(NOT_THERE)]))
def the_store_lacks_a_root_of_its_cloud(tree: GoodTree) -> None:
    tree.append(TEDGE, b'\n[aws]\nurl = "x.example"\n')


@damage(
    "cloud-root-missing",
    config='[[cloud]]\nkind = "az"\n',
    root_data=table(cloud_roots=[cloud_root(NOT_THERE, cloud="az")]),
)
def the_config_names_a_cloud(tree: GoodTree) -> None:
    """Nothing is done."""


@damage(
    "cloud-root-ends", clouds=("aws",), root_data=table(cloud_roots=[cloud_root(CA, "leaving", until="2099-04-15")])
)
def the_cloud_is_leaving_a_root(tree: GoodTree) -> None:
    """Nothing is done."""
