"""What the agents' rooms answer: files for the rootfs, and what stands against them. Data only."""

from __future__ import annotations

from dataclasses import dataclass, field

from rootfs_trust.errors import Trouble
from rootfs_trust.rootfs.nodes import Directory, File


@dataclass(slots=True)
class AgentAnswer:
    """What should stand in the rootfs for the agent; any trouble refuses the run, any conflict forbids it."""

    desired: dict[str, File | Directory] = field(default_factory=dict)
    troubles: list[Trouble] = field(default_factory=list)
    conflicts: list[Trouble] = field(default_factory=list)
    warnings: list[Trouble] = field(default_factory=list)
