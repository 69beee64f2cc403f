"""The central promises of the product, each with the edit that breaks it: ``python -m tests.mutation --promises``.

To add one: a name, the promise in a sentence, the code, the broken code, and the tests that must notice. For every
entry of a table of rules: ``*each_element("rootfs_trust/audit/verify/rules.py", "RULES", (tests,), "...")``.
docs/reliability.md lists the promises. If you edit a line that is named here, edit it here, too;
tests/unit/test_promises.py says which.
"""

from __future__ import annotations

from tests.mutation.promise import Promise, each_element

_DOOR, _WALK = "rootfs_trust/rootfs/root_directory.py", "rootfs_trust/rootfs/open_path.py"
_PLAN, _APPLY = "rootfs_trust/rootfs/plan.py", "rootfs_trust/rootfs/apply.py"
_RESOLVE, _DESCRIPTOR = "rootfs_trust/rootfs/resolve.py", "rootfs_trust/rootfs/descriptor_calls.py"
_KEYS = "rootfs_trust/x509/private_keys.py"
_INPUT, _ERRORS = "rootfs_trust/inputs/certificates.py", "rootfs_trust/errors.py"
_TAR, _STREAMS, _OCI = "rootfs_trust/image/tar_stream.py", "rootfs_trust/image/streams.py", "rootfs_trust/image/oci.py"

_LOCKS = ("tests/**/test_lock*.py",)
_DOOR_TESTS = ("tests/unit/rootfs/test_root_directory.py",)
_PLAN_TESTS = ("tests/unit/rootfs/test_plan.py",)
_APPLY_TESTS = ("tests/unit/rootfs/test_apply.py",)
_PKCS12 = "rootfs_trust/store/pkcs12.py"
_JAVA_TESTS = ("tests/unit/store/test_java_keystore.py",)
_REFUSALS = ("tests/unit/cli/test_refusals.py",)
_TAR_READER = ("tests/unit/image/test_tar_stream.py",)
_HOSTILE_IMAGES = ("tests/unit/image/test_hostile.py", "tests/unit/image/test_streams.py")

PROMISES = (
    # -- one run at a time ---------------------------------------------------------------------------------
    Promise(
        "lock-install",
        "Two installs on one root filesystem run one after the other.",
        "rootfs_trust/api/install.py",
        "        tree.lock()\n        return finish(",
        "        return finish(",
        _LOCKS,
    ),
    Promise(
        "lock-remove",
        "remove waits for another run on the same root filesystem.",
        "rootfs_trust/api/remove.py",
        "        tree.lock()\n",
        "",
        _LOCKS,
    ),
    Promise(
        "lock-rehash",
        "rehash waits for another run on the same directory.",
        "rootfs_trust/api/rehash.py",
        "        host.lock(*sorted(given))\n",
        "",
        _LOCKS,
    ),
    Promise(
        "lock-is-exclusive",
        "No two runs hold the lock of one root filesystem.",
        _DOOR,
        "fcntl.flock(self._locked[-1], fcntl.LOCK_EX | ",
        "fcntl.flock(self._locked[-1], fcntl.LOCK_SH | ",
        _DOOR_TESTS,
    ),
    Promise(
        "lock-output",
        "A report or other output inside a root filesystem is written under its lock.",
        "rootfs_trust/api/output_file.py",
        "        root.lock()\n",
        "",
        _LOCKS,
    ),
    Promise(
        "lock-provenance",
        "install with --provenance waits for another run, too.",
        "rootfs_trust/api/install.py",
        "        tree.lock()\n        recording = ",
        "        recording = ",
        _LOCKS,
    ),
    Promise(
        "lock-fleet",
        "A fleet worker locks the root filesystem that it changes.",
        "rootfs_trust/fleet/root_task.py",
        "        self._tree.lock()\n",
        "",
        _LOCKS,
    ),
    Promise(
        "lock-fleet-batch",
        "A fleet worker with many root filesystems locks each of them.",
        "rootfs_trust/fleet/root_task.py",
        "            return self._tree.try_lock()\n",
        "            return True\n",
        _LOCKS,
    ),
    Promise(
        "lock-reading",
        "Commands that only read wait for a run that writes.",
        "rootfs_trust/api/open_tree.py",
        "    root.lock_for_reading()\n",
        "",
        _LOCKS,
    ),
    Promise(
        "lock-reading-is-shared",
        "Commands that only read do not wait for each other.",
        _DOOR,
        "fcntl.LOCK_SH)",
        "fcntl.LOCK_EX)",
        _LOCKS,
    ),
    Promise(
        "lock-image",
        "Two runs of image with one destination run one after the other.",
        "rootfs_trust/image/destination.py",
        "fcntl.flock(fd, fcntl.LOCK_EX)\n",
        "pass\n",
        ("tests/unit/image/test_two_at_once.py",),
    ),
    Promise(
        "lock-hash-directory",
        "rehash of a directory waits for an install on its root filesystem.",
        _DOOR,
        "            self.lock(path, wait=wait)\n",
        "            pass\n",
        _LOCKS,
    ),
    Promise(
        "refused-where-unwritable",
        "What cannot be written is refused before the first write.",
        "rootfs_trust/api/apply_plan.py",
        "    refuse(ConflictError, unwritable(tree, plan))\n",
        "",
        ("tests/unit/rootfs/test_writable.py",),
    ),
    # -- the door ------------------------------------------------------------------------------------------
    Promise(
        "door-no-follow",
        "Opening one component of a path never follows a link.",
        _WALK,
        "_PATH_ONLY = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC",
        "_PATH_ONLY = os.O_PATH | os.O_CLOEXEC",
        _DOOR_TESTS,
    ),
    Promise(
        "door-absolute-link",
        "An absolute link starts again at the root of the tree.",
        _WALK,
        '        if text.startswith("/"):\n            self.close()\n',
        "",
        _DOOR_TESTS,
    ),
    Promise(
        "door-parent-of-root",
        "`..` at the root of the tree stays there.",
        _DOOR,
        '        if name in (".", ".."):  # not a name in a directory; at the root, the host would look outside\n'
        '            head, name = path, ""\n',
        "",
        _DOOR_TESTS,
    ),
    Promise(
        "door-forty-links",
        "Forty links in a path are followed, as in Linux.",
        _WALK,
        "if self._links > MAX_LINKS:",
        "if self._links >= MAX_LINKS:",
        _DOOR_TESTS,
    ),
    Promise(
        "door-link-loop",
        "A loop of links ends.",
        _RESOLVE,
        "            if links > MAX_LINKS:\n                return []\n",
        "            if links > 10_000_000:\n                return []\n",
        ("tests/unit/rootfs/test_resolve.py",),
    ),
    Promise(
        "door-nonblock",
        "Reading never waits for a FIFO that replaced a file.",
        _DESCRIPTOR,
        "os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY",
        "os.O_RDONLY | os.O_NOFOLLOW | os.O_NOCTTY",
        _DOOR_TESTS,
    ),
    Promise(
        "door-regular-files",
        "Only regular files are read.",
        _DESCRIPTOR,
        "_content(fd, status.st_size, most) if stat.S_ISREG(status.st_mode) else None",
        "_content(fd, status.st_size, most)",
        _DOOR_TESTS,
    ),
    Promise(
        "door-largest-file",
        "A file of the tree that is larger than the bound is refused.",
        _DOOR,
        "        if len(content) > MAX_FILE:\n",
        "        if len(content) > 1 << 60:\n",
        _DOOR_TESTS,
    ),
    Promise(
        "door-largest-file-read",
        "No more than the bound of a file is read.",
        _DESCRIPTOR,
        "    parts = [os.read(fd, min(size, most) + 1)]",
        "    parts = [os.read(fd, size + 1)]",
        _DOOR_TESTS,
    ),
    # -- the plan ------------------------------------------------------------------------------------------
    Promise(
        "plan-phases",
        "Removals come after everything new is written.",
        _PLAN,
        '    return (2 if isinstance(action, Remove) else 1), ""',
        '    return (1 if isinstance(action, Remove) else 2), ""',
        _PLAN_TESTS,
    ),
    Promise(
        "plan-removals",
        "Files made from a source are removed before the source.",
        _PLAN,
        "key=lambda each: -folders.index(parent(each.path))",
        "key=lambda each: folders.index(parent(each.path))",
        _PLAN_TESTS,
    ),
    Promise(
        "plan-signature",
        "Replacing a file with an IMA or EVM signature is a conflict.",
        _PLAN,
        "        conflicts += _signed(view, changes)\n",
        "        pass\n",
        _PLAN_TESTS,
    ),
    Promise(
        "plan-mounted",
        "Replacing a file that is a mount point is a conflict.",
        _PLAN,
        "    conflicts += _mounted(view, changes)\n",
        "",
        _PLAN_TESTS,
    ),
    Promise(
        "plan-immutable",
        "No file in the store of Nix or Guix is changed.",
        _PLAN,
        "    conflicts += _immutable(view, changes)\n",
        "",
        ("tests/unit/cli/test_immutable_store.py",),
    ),
    Promise(
        "plan-conflict",
        "A directory where a file has to be written is a conflict.",
        _PLAN,
        "    if actual is None or isinstance(actual, File | Symlink):\n        return Put(",
        "    if actual is None or isinstance(actual, File | Symlink | Directory):\n        return Put(",
        _PLAN_TESTS,
    ),
    # -- the writer ----------------------------------------------------------------------------------------
    Promise(
        "apply-fsync",
        "Every file is on the disk before it gets its name.",
        _APPLY,
        "    def _sync(self, fd: int) -> None:\n        if self._durable:",
        "    def _sync(self, fd: int) -> None:\n        if False:",
        _APPLY_TESTS,
    ),
    Promise(
        "apply-staged",
        "No existing file changes until all new bytes are on the disk.",
        _APPLY,
        "        writer.stage()\n        writer.publish()",
        "        writer.publish()",
        _APPLY_TESTS,
    ),
    Promise(
        "apply-signatures",
        "The signature of the old content is not copied to the new content.",
        _APPLY,
        "            if key not in SIGNATURES:\n                os.setxattr(fd, key, value)",
        "            if True:\n                os.setxattr(fd, key, value)",
        _APPLY_TESTS,
    ),
    Promise(
        "apply-mode",
        "A replaced file keeps its mode.",
        _APPLY,
        "        os.fchmod(fd, stat.S_IMODE(old.st_mode))\n",
        "",
        _APPLY_TESTS,
    ),
    Promise(
        "apply-timestamp",
        "With --timestamp, every written file has that time.",
        _APPLY,
        "            os.utime(fd, (self._timestamp, self._timestamp))",
        "            pass",
        _APPLY_TESTS,
    ),
    Promise(
        "second-look",
        "After writing, install compares again: anything left to do is an error.",
        "rootfs_trust/api/apply_plan.py",
        "    verify_written(tree, desired)\n",
        "",
        ("tests/unit/test_api.py",),
    ),
    Promise(
        "leftovers",
        "The next run removes the leftovers of a killed run.",
        _PLAN,
        "    for leftover in _leftovers(view, desired):",
        "    for leftover in ():",
        _PLAN_TESTS,
    ),
    Promise(
        "empty-member",
        "An empty member of a compressed layer does not hide what follows it.",
        "rootfs_trust/image/streams.py",
        "        if piece:  # readers take an empty piece for the end of the stream",
        "        if True:",
        ("tests/unit/image/test_streams.py",),
    ),
    # -- runs that take something away, and printed fixes --------------------------------------------------
    *(
        Promise(
            f"may-lose: {name}",
            "If a run may take a certificate from a client, install compares what all clients read before and after.",
            "rootfs_trust/api/may_lose.py",
            old,
            new,
            ("tests/unit/test_may_lose.py",),
        )
        for name, old, new in (
            ("a removed file", '.rpartition("/")[2].startswith(STAGED_PREFIX)', ' and ""'),
            (
                "a new directory",
                "    if isinstance(action, MakeDirectory):\n        return action.path in _PLACES\n",
                "    if isinstance(action, MakeDirectory):\n        return False\n",
            ),
            (
                "a new file",
                "    if not action.replaces:\n        return action.path in _PLACES\n",
                "    if not action.replaces:\n        return False\n",
            ),
            (
                "a changed link",
                "    if isinstance(action, Link):\n        return True\n",
                "    if isinstance(action, Link):\n        return False\n",
            ),
            ("a block that GnuTLS reads", "(_X509 in before or not _contents", "(not _contents"),
            ("a smaller file", " or not _contents(before) - replaced <= _contents(action.node.content))", ")"),
            (
                "another CA than the replaced one",
                "not _contents(before) - replaced <=",
                "not replaced and not _contents(before) <=",
            ),
            ("a file that a variable names", "_is_read(action) or _PEM in before", "_is_read(action)"),
            ("a keystore", "found or {each.sha256 for each in keystore_certificates(data)}", "found"),
        )
    ),
    Promise(
        "replaced-yet-trusted",
        "install warns if a client still trusts a certificate that it replaces.",
        "rootfs_trust/api/planning.py",
        "    if replaced:\n",
        "    if False:\n",
        ("tests/unit/cli/test_gone.py",),
    ),
    *(
        Promise(
            f"fix: {name}",
            "A command that check prints as a fix works, and brings no new finding.",
            "rootfs_trust/api/fixes.py",
            old,
            new,
            (f"tests/unit/audit/test_fixes.py::{test}",),
        )
        for name, test, old, new in (
            (
                "the finding is gone",
                "test_a_printed_command_fixes_what_was_found_and_brings_nothing_new",
                "for key in helped if key not in still}",
                "for key in helped}",
            ),
            (
                "it brings no new finding",
                "test_a_printed_command_fixes_what_was_found_and_brings_nothing_new",
                "all(finding.level == NOTE or finding.key in before for finding in left)",
                "True",
            ),
            (
                "with the config",
                "test_a_command_has_the_config_and_the_time_of_the_check",
                'words += ["--config", self.config] if isinstance(self.config, str) else []',
                "pass",
            ),
            (
                "at the time of the check",
                "test_a_command_has_the_config_and_the_time_of_the_check",
                'words += ["--at", self.at] if self.at else []',
                "pass",
            ),
            (
                "for many roots",
                "test_one_command_removes_the_roots_of_many_incidents",
                "(*general, *together, *alone)",
                "(*general, *alone)",
            ),
            (
                "for an incident",
                "test_one_command_removes_every_root_of_an_incident",
                "together += incidents, by_digest",
                "together += by_digest, incidents",
            ),
            (
                "as it was tried",
                "test_a_command_that_was_not_tried_is_not_printed",
                "{key: tried.line(command) for key in helped",
                "{key: tried.line(possible[key][0]) for key in helped",
            ),
        )
    ),
    # -- the store -----------------------------------------------------------------------------------------
    Promise(
        "bundle-before-links",
        "The bundle is written before the hash links.",
        "rootfs_trust/store/debian/planning.py",
        "    desired |= hash_directory(view, layout.hash_directory, links, bundle=name, stale=stale)\n",
        "    hashed = hash_directory(view, layout.hash_directory, links, bundle=name, stale=stale)\n"
        "    plan.desired = {**hashed, **desired}\n",
        ("tests/unit/cli/test_store.py", "tests/unit/store"),
    ),
    Promise(
        "exchanged-source-after-bundle",
        "A source that replaces another one is written after the bundle.",
        "rootfs_trust/store/debian/planning.py",
        "for path, node in local.changed.items() if path not in found.local}",
        "for path, node in local.changed.items()}",
        ("tests/unit/cli/test_store.py", "tests/unit/store"),
    ),
    Promise(
        "distrust-list-first",
        "The list that distrusts a certificate is written before its files are removed.",
        "rootfs_trust/store/debian/planning.py",
        "    if conf and not _is_link_to(view, tool.conf, conf):\n        desired[tool.conf] = File(conf)\n",
        "",
        ("tests/unit/cli/test_store.py", "tests/unit/store", "tests/layouts/test_matrix.py"),
    ),
    Promise(
        "unsourced",
        "A certificate that only the bundle contains is never lost silently.",
        "rootfs_trust/store/debian/planning.py",
        "        plan.conflicts += unsourced(layout.bundle, read(view, layout.bundle), [*found.existing, *sources])\n",
        "        pass\n",
        ("tests/unit/cli/test_store.py",),
    ),
    Promise(
        "rival-below-a-directory",
        "A source below a directory of the anchor's name is a conflict.",
        "rootfs_trust/store/anchor_sources.py",
        "        if self._directories[path] > 0:",
        "        if False:",
        ("tests/unit/store/test_anchor_sources.py",),
    ),
    Promise(
        "hash-links-without-a-gap",
        "If hash links are renumbered, the higher numbers are written first.",
        "rootfs_trust/store/hash_links.py",
        '    return value, -int(number.lstrip("r"))',
        '    return value, int(number.lstrip("r"))',
        ("tests/unit/store/test_hash_directory.py",),
    ),
    Promise(
        "p11kit-stapled",
        "On p11-kit layouts, constraints attached to a certificate override the category of its entry.",
        "rootfs_trust/store/p11kit/output_selection.py",
        "    if stapled is None and entry.category is not None:",
        "    if entry.category is not None:",
        ("tests/unit/store/p11kit",),
    ),
    # -- inputs --------------------------------------------------------------------------------------------
    Promise(
        "key-pem",
        "A private key in PEM is refused.",
        _KEYS,
        "    if _has_label(text.lower()):",
        "    if False:",
        ("tests/unit/x509/test_private_keys.py",),
    ),
    Promise(
        "key-der",
        "A private key in DER is refused.",
        _KEYS,
        "        if looks_like_private_key_der(element):",
        "        if False:",
        ("tests/unit/x509/test_private_keys.py",),
    ),
    Promise(
        "key-rendered",
        "A private key that a template renders is refused.",
        "rootfs_trust/api/render.py",
        "            if form := private_key_form(files[table.dest].content):",
        '            if form := "":',
        ("tests/unit/cli/test_collisions.py",),
    ),
    Promise(
        "collision",
        "Two outputs of a run with the same path are a conflict.",
        _PLAN,
        "    conflicts = [*filter(None, blocked.values()), *_collisions(view, desired)]",
        "    conflicts = [*filter(None, blocked.values())]",
        ("tests/unit/cli/test_collisions.py",),
    ),
    Promise(
        "not-part-of-the-store",
        "A template must not write a file that the next run would read as part of the store.",
        "rootfs_trust/api/planning.py",
        "    if job.templates:",
        "    if False:",
        ("tests/unit/cli/test_collisions.py",),
    ),
    Promise(
        "key-pkcs12",
        "A PKCS #12 file is refused even if only decryption shows its private key.",
        "rootfs_trust/inputs/keystores.py",
        "        if not bag.certificate:",
        "        if False:",
        _REFUSALS,
    ),
    Promise(
        "key-hidden",
        "A private key in UTF-16, or in a line that OpenSSL does not see, is refused.",
        _KEYS,
        '    text = (data.replace(b"\\0", b"") if b"\\0" in data else data).replace(b"\\r", b"\\n")',
        '    text = data.replace(b"\\r", b"\\n")',
        ("tests/unit/x509/test_private_keys.py",),
    ),
    Promise(
        "key-skipped-file",
        "A private key is refused even in a file that is skipped when a directory is read.",
        "rootfs_trust/inputs/anchors.py",
        '        gathered.problems += [problem for problem in reading.problems if problem.id == "private-key"]\n',
        "",
        _REFUSALS,
    ),
    Promise(
        "pin",
        "A certificate that does not match its pin is refused.",
        "rootfs_trust/inputs/anchors.py",
        "    gathered.problems += _pin(reading.found, table)\n",
        "",
        _REFUSALS,
    ),
    Promise(
        "expired",
        "An anchor that expired is refused.",
        "rootfs_trust/inputs/policy.py",
        "    elif certificate.not_after < at:",
        "    elif False:",
        _REFUSALS,
    ),
    Promise(
        "last-second",
        "In the last second of its validity a certificate is accepted.",
        "rootfs_trust/inputs/policy.py",
        "    elif certificate.not_after < at:",
        "    elif certificate.not_after <= at:",
        ("tests/unit/inputs/test_policy.py", "tests/unit/cli/test_refusals.py"),
    ),
    Promise(
        "forbidden",
        "A certificate that [policy] forbid lists is refused.",
        "rootfs_trust/inputs/policy.py",
        "    if selected(policy.forbid, certificate):",
        "    if False:",
        ("tests/unit/inputs/test_policy.py",),
    ),
    Promise(
        "largest-input",
        "An input file that is larger than the bound is refused.",
        "rootfs_trust/inputs/files.py",
        "    elif len(data) > MAX_INPUT:",
        "    elif False:",
        _REFUSALS,
    ),
    Promise(
        "input-that-never-ends",
        "Standard input is read up to the bound.",
        "rootfs_trust/inputs/files.py",
        "        return sys.stdin.buffer.read(MAX_INPUT + 1)",
        "        return sys.stdin.buffer.read()",
        ("tests/unit/inputs/test_files.py",),
    ),
    Promise(
        "surrogates",
        "A name with half of a surrogate pair is malformed, as for OpenSSL.",
        "rootfs_trust/x509/name.py",
        "    if tag == BMP_STRING and len(text) * 2 != len(value):",
        "    if False:",
        ("tests/unit/x509",),
    ),
    # -- warnings ------------------------------------------------------------------------------------------
    *(
        Promise(
            name, promise, "rootfs_trust/api/runtime_warnings.py", old, new, ("tests/unit/runtimes/test_warnings.py",)
        )
        for name, promise, old, new in (
            (
                "runtime-program",
                "install warns of a browser that will not see the anchor.",
                "if not (search.stores or has_programs(finished.view)):",
                "if not search.stores:",
            ),
            (
                "runtime-store",
                "install warns of a runtime's store that will not see the anchor.",
                "if not (search.stores or has_programs(finished.view)):",
                "if not has_programs(finished.view):",
            ),
            (
                "runtime-purposes",
                "install warns of no runtime because of an anchor that is not for servers.",
                " if SERVERS in (each.purposes or {SERVERS})",
                "",
            ),
            (
                "runtime-system",
                "install reports an anchor that Java refuses once.",
                "{finished.view.real_path(path) or path for path in decision.desired}",
                "frozenset[str]()",
            ),
        )
    ),
    *(
        Promise(
            f"client-fault: {name}",
            "install warns of an anchor that a client cannot use, and says if the client then loses all others.",
            "rootfs_trust/audit/client_faults.py",
            old,
            new,
            ("tests/unit/audit/test_unreadable_anchors.py",),
        )
        for name, old, new in (
            ("Java loses all", "(_refused_by_java, True)", "(_refused_by_java, False)"),
            ("Mbed TLS loses all", "(_unparsed_by_mbedtls, True)", "(_unparsed_by_mbedtls, False)"),
            (
                "GnuTLS takes no unsigned CA",
                '((_unsigned, False), (_unknown_to("gnutls"), False))',
                '((_unknown_to("gnutls"), False),)',
            ),
        )
    ),
    # -- keystores -----------------------------------------------------------------------------------------
    *(
        Promise(name, promise, _PKCS12, old, new, ("tests/unit/store/test_pkcs12.py",))
        for name, promise, old, new in (
            (
                "pkcs12-trusted",
                "Java trusts a certificate that is added to its PKCS #12 keystore.",
                "der(SET, name + _attribute(_TRUSTED_KEY_USAGE, der(OID, _ANY_USAGE)))",
                "der(SET, name)",
            ),
            (
                "pkcs12-untrusted",
                "A certificate without Java's trust attribute is not an anchor.",
                "_TRUSTED_KEY_USAGE in attributes)",
                "True)",
            ),
            (
                "pkcs12-place",
                "A certificate is not added to the part of a keystore that contains its keys.",
                "            place = next((i for i, safe in enumerate(self.safes) if not safe.bags), None)\n",
                "            place = 0 if self.safes else None\n",
            ),
            (
                "pkcs12-iterations",
                "A keystore keeps its iteration count, whatever the first bit of the number.",
                "mac.iterations.bit_length() // 8 + 1",
                "(mac.iterations.bit_length() + 7) // 8",
            ),
            (
                "pkcs12-password",
                "A keystore with another password is refused.",
                "if hmac.compare_digest(mac_of(mac, content, password), mac.digest):",
                "if True:",
            ),
            (
                "pkcs12-cost",
                "A keystore whose key derivation would take hours is refused.",
                "    _refuse_cost(content, mac)\n",
                "",
            ),
            (
                "pkcs12-cost-pbmac1",
                "The iterations of a PBMAC1 are counted, too.",
                "max(mac.iterations, iterations(mac.algorithm))",
                "mac.iterations",
            ),
        )
    ),
    *(
        Promise(name, promise, "rootfs_trust/store/java_keystore.py", old, new, _JAVA_TESTS)
        for name, promise, old, new in (
            (
                "java-table",
                "The entries of a Java keystore have the order of Java's hash table.",
                "if count >= len(buckets) * 3 // 4:",
                "if count > len(buckets) * 3 // 4:",
            ),
            (
                "java-order",
                "Two runs with the same entries write the same keystore.",
                "for alias in sorted(foreign)}",
                "for alias in foreign}",
            ),
            (
                "java-case",
                "If two link names differ only in case, the keystore has the certificate of the later one.",
                "wanted.pop(alias, None)",
                "pass",
            ),
            (
                "java-foreign",
                "Foreign entries of a Java keystore are kept.",
                " if not entry.alias.lower().startswith(_PREFIX)}",
                " if False}",
            ),
            (
                "java-frozen",
                "A Java keystore that the device does not update is not changed.",
                'settings.get("cacerts_updates") != "yes"',
                "False",
            ),
        )
    ),
    # -- constrained copies --------------------------------------------------------------------------------
    *(
        Promise(name, promise, "rootfs_trust/x509/constrained.py", old, new, ("tests/unit/x509/test_constrained.py",))
        for name, promise, old, new in (
            (
                "constrained-label",
                "A CA that is constrained to corp.example is not trusted for evilcorp.example.",
                'host.endswith(base if base.startswith(b".") else b"." + base)',
                "host.endswith(base)",
            ),
            (
                "constrained-own",
                "A constrained copy keeps the constraints of its CA.",
                "certificate.name_constraints or NameConstraints(), _exclude",
                "NameConstraints(), _exclude",
            ),
            (
                "constrained-names",
                "A CA that is constrained to addresses is trusted for no DNS name.",
                "() if any(each.tag == DNS for each in names.permitted) else _NO_NAME",
                "()",
            ),
            (
                "constrained-critical",
                "The constraints of a copy are critical.",
                "+ _TRUE + encode(OCTET_STRING",
                "+ encode(OCTET_STRING",
            ),
            (
                "constrained-original",
                "A copy of a constrained copy names the original certificate.",
                "original_of(certificate) or certificate.sha256)",
                "certificate.sha256)",
            ),
            (
                "constrained-version",
                "Only a CA of version 3 can be constrained.",
                "certificate.version == 3 and ",
                "",
            ),
        )
    ),
    # -- public roots --------------------------------------------------------------------------------------
    *(
        Promise(name, promise, "rootfs_trust/audit/root_status.py", old, new, ("tests/unit/audit/test_root_status.py",))
        for name, promise, old, new in (
            (
                "root-incident",
                "A root in an incident is reported as compromised, even if the root program trusts it.",
                "    if concerned := data.concerning(certificate):",
                "    if concerned := None if certificate.sha256 in data.roots else data.concerning(certificate):",
            ),
            (
                "root-first-end",
                "Of two dates on which the trust in a root ends, the first is reported.",
                "in sorted(ends) if day",
                "in ends if day",
            ),
            (
                "root-last-day",
                "A root whose trust ends on the last day is reported.",
                'if day <= last), "")',
                'if day < last), "")',
            ),
            (
                "cloud-root-until",
                "A root that a cloud stops using is reported.",
                "    if used is not None:",
                "    if False:",
            ),
        )
    ),
    # -- exit statuses and output --------------------------------------------------------------------------
    Promise(
        "status-conflict",
        "A conflict in the root filesystem ends with status 3.",
        _ERRORS,
        "    exit_status = 3\n",
        "    exit_status = 2\n",
        ("tests/unit/cli/test_store.py",),
    ),
    Promise(
        "status-disk",
        "A disk error ends with status 4.",
        _ERRORS,
        "    exit_status = 4\n",
        "    exit_status = 2\n",
        _APPLY_TESTS,
    ),
    Promise(
        "status-refused",
        "Refused input ends with status 2.",
        _ERRORS,
        "    exit_status = 2\n",
        "    exit_status = 1\n",
        _REFUSALS,
    ),
    Promise(
        "status-findings",
        "Findings end with status 1.",
        "rootfs_trust/cli/check.py",
        "    return int(any(LEVELS.index(finding.level) <= LEVELS.index(fail_on) for finding in found))",
        "    return 0",
        ("tests/unit/cli/test_check.py",),
    ),
    Promise(
        "escaped-html",
        "Markup in a name stays text in the HTML report.",
        "rootfs_trust/rendering/packaged_templates.py",
        'autoescape=select_autoescape(("html.j2",))',
        "autoescape=False",
        ("tests/unit/cli/test_report.py",),
    ),
    Promise(
        "escaped-markdown",
        "Markup in a name stays text in the Markdown report.",
        "rootfs_trust/text.py",
        '    return _LINK.sub(r"\\\\\\g<0>", printable(text).translate(_MARKDOWN))',
        "    return printable(text)",
        ("tests/unit/test_text.py",),
    ),
    Promise(
        "escaped-terminal",
        "Text from a root filesystem or certificate cannot control the terminal.",
        "rootfs_trust/text.py",
        '    return text if text.isascii() and text.isprintable() else "".join(map(_escaped, text))',
        "    return text",
        ("tests/unit/test_text.py",),
    ),
    Promise(
        "status-defect",
        "An unexpected error is one line and status 4, never status 1, which means findings.",
        "rootfs_trust/cli/run.py",
        '        return _report(ApplyError(INTERNAL("", what)))',
        "        raise",
        ("tests/unit/cli/test_guard.py",),
    ),
    Promise(
        "unreadable-places",
        "check names the places that it cannot read.",
        "rootfs_trust/rootfs/error_collecting_view.py",
        "            self.problems |= {problem.path: problem for problem in error.problems}\n",
        "",
        ("tests/unit/audit/test_damages.py", "tests/unit/cli/test_check.py"),
    ),
    Promise(
        "outputs-known",
        "check finds every output of every layout that is missing or empty.",
        "rootfs_trust/audit/checks/missing.py",
        "        missing = [*_missing_outputs(inspection), *_directory_links(inspection), *_alpine_link(inspection)]\n",
        "        missing: list[Finding] = []\n",
        ("tests/unit/audit/test_layout_outputs.py",),
    ),
    Promise(
        "hash-link-name",
        "A setting that needs hash links is refused where OpenSSL would find none.",
        "rootfs_trust/store/hash_links.py",
        'link.group(2, 3) == ("", "0")',
        'link.group(2) == ""',
        ("tests/unit/thin_edge/test_settings_checks.py",),
    ),
    Promise(
        "link-behind-a-gap",
        "A hash link behind a gap is not found, as in OpenSSL.",
        "rootfs_trust/audit/store_files.py",
        "for link in self.links if link.number < ends.get((link.hash, link.crl), 0))",
        "for link in self.links if link.exists)",
        ("tests/unit/audit",),
    ),
    # -- images and fleets ---------------------------------------------------------------------------------
    Promise(
        "digest",
        "A layer or document whose bytes have another digest is refused.",
        _STREAMS,
        "    if state.hexdigest() != wanted:",
        "    if False:",
        _HOSTILE_IMAGES,
    ),
    Promise(
        "digest-of-a-layer",
        "The packed bytes of a layer are checked.",
        _OCI,
        'unpacked(checked(blob.start(0), digest, "the layer"))',
        "unpacked(blob.start(0))",
        _HOSTILE_IMAGES,
    ),
    Promise(
        "digest-unpacked",
        "The unpacked bytes of a layer are checked.",
        _OCI,
        '            return checked(stream, diff_id, "the unpacked layer")',
        "            return stream",
        _HOSTILE_IMAGES,
    ),
    Promise(
        "unpacked-bound",
        "A stream that unpacks to more than the bound is refused.",
        _STREAMS,
        "        if left < 0:",
        "        if False:",
        _HOSTILE_IMAGES,
    ),
    Promise(
        "tar-dot-dot",
        "A tar entry whose name could lead out of the tree is refused.",
        _TAR,
        'if name.startswith("/") or ".." in parts or "\\0" in name:',
        'if name.startswith("/") or "\\0" in name:',
        _HOSTILE_IMAGES,
    ),
    Promise(
        "tar-absolute",
        "A tar entry with an absolute name is refused.",
        _TAR,
        'if name.startswith("/") or ".." in parts or "\\0" in name:',
        'if ".." in parts or "\\0" in name:',
        _HOSTILE_IMAGES,
    ),
    Promise(
        "tar-depth",
        "A tar entry that is too deep is refused.",
        _TAR,
        "    if len(parts) > MAX_DEPTH:",
        "    if False:",
        _HOSTILE_IMAGES,
    ),
    Promise(
        "tar-header",
        "A tar header that is too large is refused.",
        _TAR,
        "        if info.size > MAX_HEADER:",
        "        if False:",
        _TAR_READER,
    ),
    *(
        Promise(name, promise, _TAR, old, new, _TAR_READER)
        for name, promise, old, new in (
            (
                "tar-content",
                "A file whose content is truncated in a tar stream is refused.",
                "        if len(content) != self.info.size:\n            raise self.stream.truncated()\n",
                "",
            ),
            ("tar-entries", "A tar stream with too many entries is refused.", "if number > MAX_MEMBERS:", "if False:"),
            (
                "tar-size",
                "A tar entry with a negative size is refused.",
                "if stored < 0 or info.size < 0:",
                "if False:",
            ),
            (
                "tar-body",
                "A tar entry that is not a file has no content, whatever size its header has.",
                "self.stored = stored if has_content else 0",
                "self.stored = stored",
            ),
            (
                "tar-signed",
                "A tar checksum of signed bytes is accepted, as by GNU tar.",
                "return stated == unsigned or stated == unsigned - 256 * sum(byte > 127 for byte in others)",
                "return stated == unsigned",
            ),
        )
    ),
    Promise(
        "image-whiteout",
        "A whiteout hides entries of lower layers, but not of its own layer.",
        "rootfs_trust/image/merged_tree.py",
        "        if holder[name].place.layer < layer and not holder[name].children:",
        "        if holder[name].place.layer <= layer and not holder[name].children:",
        ("tests/unit/image/test_image_tree.py",),
    ),
    Promise(
        "image-one-pass",
        "A layer is decompressed once, also where commands read the stores of runtimes.",
        "rootfs_trust/image/image_tree.py",
        "startswith(_LIKELY) or info.name.endswith(_LIKELY_NAMES)",
        "startswith(_LIKELY)",
        ("tests/unit/image/test_passes.py",),
    ),
    Promise(
        "fleet-stamp",
        "fleet notices a changed file even if its modification time was set back.",
        "rootfs_trust/fleet/change_detection.py",
        '"st_size", "st_mtime_ns", "st_ctime_ns")',
        '"st_size", "st_mtime_ns")',
        ("tests/unit/fleet/test_change_detection.py",),
    ),
    Promise(
        "fleet-check-journal",
        "fleet --check with a journal checks changed targets again.",
        "rootfs_trust/fleet/check_inputs.py",
        "        return input_stamp(task, done.places) == done.input",
        "        return bool(input_stamp(task, done.places))",
        ("tests/unit/fleet/test_check_journal.py",),
    ),
    Promise(
        "image-empty-store",
        "A squashfs or erofs with an empty hash directory gets its hash links, and the directory keeps its time.",
        "rootfs_trust/image/filesystems/as_tar.py",
        '    for place in sorted(new, key=lambda each: each.split("/")):',
        "    for place in left:",
        ("tests/unit/image/filesystems/test_writing.py",),
    ),
    # -- found by breaking places at random ----------------------------------------------------------------
    Promise(
        "signal-in-finalizer",
        "A signal that arrives while Python finalizes an object ends the run.",
        "rootfs_trust/dropped_exit.py",
        "        if isinstance(dropped.exc_value, SystemExit):",
        "        if False:",
        ("tests/unit/cli/test_guard.py::test_a_signal_in_a_finalizer_ends_the_run",),
    ),
    Promise(
        "access-error",
        "A directory is a conflict only if the user may not write there, not after a disk error.",
        "rootfs_trust/rootfs/writable.py",
        "        return error.errno in _DENIED",
        "        return True",
        ("tests/unit/rootfs/test_writable.py",),
    ),
    Promise(
        "output-new",
        "A new output file is not written through a dangling link.",
        "rootfs_trust/api/output_file.py",
        "    elif new and os.path.lexists(path):",
        "    elif new and os.path.exists(path):",
        ("tests/unit/cli/test_outputs_in_the_tree.py",),
    ),
    Promise(
        "output-new-inside",
        "A new output file in a root filesystem is not written through a dangling link.",
        "rootfs_trust/api/output_file.py",
        "        if new and root.kind(place, follow=False) is not None:",
        "        if new and root.kind(place) is not None:",
        ("tests/unit/cli/test_outputs_in_the_tree.py",),
    ),
    Promise(
        "renewal-replace",
        "A constrained anchor is renewed only with --replace.",
        "rootfs_trust/store/renewal.py",
        "    if not anchor.replace or original_of",
        "    if original_of",
        ("tests/unit/cli/test_constrained_anchors.py",),
    ),
    Promise(
        "renewal-subject",
        "The names of a constrained anchor in a bundle are kept only for a CA with the same subject.",
        "rootfs_trust/store/renewal.py",
        " and (not in_bundle or each.subject == anchor.certificate.subject):",
        ":",
        ("tests/unit/cli/test_constrained_anchors.py",),
    ),
    Promise(
        "renewal-conflict",
        "A renewal that cannot be constrained to the same names is a conflict.",
        "rootfs_trust/store/renewal.py",
        '            conflicts.append(CONFLICT(anchor.where, message, f"remove {anchor.name} first"))',
        "            kept.append(anchor)",
        ("tests/unit/cli/test_constrained_anchors.py",),
    ),
    Promise(
        "advise-joined",
        "advise solves requirements that share items together.",
        "rootfs_trust/audit/least_sets.py",
        "                items |= group[0]\n",
        "                pass\n",
        ("tests/unit/audit/test_least_sets.py",),
    ),
    Promise(
        "mbedtls-older-keys",
        "An anchor with a key that Mbed TLS no longer accepts is reported.",
        "rootfs_trust/audit/client_faults.py",
        '(_unparsed_by_mbedtls, True), (_unknown_to("mbedtls"), False)',
        "(_unparsed_by_mbedtls, True),",
        ("tests/unit/audit/test_unreadable_anchors.py",),
    ),
    *each_element(
        "rootfs_trust/runtimes/environment.py",
        "PROGRAMS",
        ("tests/unit/runtimes/test_environment.py",),
        "install --runtimes environment sets {element}.",
    ),
    # -- settings ------------------------------------------------------------------------------------------
    Promise(
        "toml-comments",
        "An edit of tedge.toml loses no comment.",
        "rootfs_trust/toml_editor/edit.py",
        "if _parses_to(candidate, wanted) and not kept - Counter(comments(candidate)):",
        "if _parses_to(candidate, wanted):",
        ("tests/unit/thin_edge", "tests/unit/toml_editor", "tests/property/test_tedge_toml.py"),
    ),
    # -- verify: the engines; their rules are in their own table -------------------------------------------
    Promise(
        "verify-last-second",
        "verify trusts a chain in the last second of its validity.",
        "rootfs_trust/audit/verify/path_checks.py",
        "certificate.not_after is None or at > certificate.not_after",
        "certificate.not_after is None or at >= certificate.not_after",
        ("tests/unit/audit/test_verify_rules.py",),
    ),
    # -- verify ----------------------------------------------------------------------------------------------
    *each_element(
        "rootfs_trust/audit/verify/rules.py",
        "RULES",
        ("tests/unit/audit/test_verify_rules.py",),
        "verify refuses what {element} refuses.",
    ),
    *(
        promise
        for table in ("ISSUERS", "SERVERS")
        for promise in each_element(
            "rootfs_trust/audit/verify/algorithms.py",
            table,
            ("tests/unit/audit/test_verify_algorithms.py",),
            "verify knows that {table} has {element}.",
        )
    ),
    *(
        promise
        for table in ("BLOCKED_KEYS", "BLOCKING")
        for promise in each_element(
            "rootfs_trust/audit/verify/blocked_keys.py",
            table,
            ("tests/unit/audit/test_verify_algorithms.py",),
            "verify refuses what {element} of {table} refuses.",
        )
    ),
)
