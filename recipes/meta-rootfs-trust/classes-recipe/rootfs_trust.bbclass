# SPDX-License-Identifier: Apache-2.0
#
# Uses rootfs-trust to install CA certificates into the root filesystem of an image, write its trust store, and
# configure thin-edge.io to use it. Then checks the finished root filesystem. In local.conf or the distro configuration:
#
#   IMAGE_CLASSES += "rootfs_trust"
#   ROOTFS_TRUST_CERTS = "certs/my-ca.pem"
#   ROOTFS_TRUST_CLOUDS = "c8y"
#
# Every variable can be set for a single image: ROOTFS_TRUST_CERTS:pn-my-image = "...".
# The [doc] of a variable describes its values; the layer's README has examples.

ROOTFS_TRUST_CERTS ??= ""
ROOTFS_TRUST_CERTS[doc] = "CA certificates to trust: PEM, DER or PKCS#7 files, or directories of them. Absolute paths, or \
relative paths that are searched in BBPATH, that is in the build directory and in the layers."

ROOTFS_TRUST_CLOUDS ??= ""
ROOTFS_TRUST_CLOUDS[doc] = "The clouds whose thin-edge.io settings are set to the trust store: c8y, aws, az, each \
with an optional profile, as in c8y@edge."

ROOTFS_TRUST_CONFIG ??= ""
ROOTFS_TRUST_CONFIG[doc] = "A rootfs-trust.toml, searched like ROOTFS_TRUST_CERTS. Keep the files that it names in \
its directory: the root filesystem is built again if anything in that directory changes."

ROOTFS_TRUST_LAYOUT ??= "yocto"
ROOTFS_TRUST_LAYOUT[doc] = "The layout of the trust store; auto detects it from the root filesystem."

ROOTFS_TRUST_RUNTIMES ??= ""
ROOTFS_TRUST_RUNTIMES[doc] = "The runtimes whose separate trust stores also get the CA certificates: auto, none, or names \
such as java certifi node. If empty, those of ROOTFS_TRUST_CONFIG."

ROOTFS_TRUST_AT ??= ""
ROOTFS_TRUST_AT[doc] = "The time at which certificates must be valid, as 2027-01-31T12:00:00Z or in seconds since \
1970. If empty, the time of the build. Set it to build an old release again."

ROOTFS_TRUST_OPTIONS ??= ""
ROOTFS_TRUST_OPTIONS[doc] = "Further options of rootfs-trust install, such as: --replace my-ca"

ROOTFS_TRUST_CHECK ??= "error"
ROOTFS_TRUST_CHECK[doc] = "How findings of rootfs-trust check affect the build: error (findings of level error fail it, \
warnings are shown), warn (all are shown), off (no check)."

ROOTFS_TRUST_CHECK_OPTIONS ??= ""
ROOTFS_TRUST_CHECK_OPTIONS[doc] = "Further options of rootfs-trust check, such as: --ignore expires-soon"

# Runs after the package manager and the postinsts, and before the check of read-only-rootfs, labels, signatures and
# do_image.
ROOTFS_POSTPROCESS_COMMAND:append = " rootfs_trust_install"
IMAGE_QA_COMMANDS:append = " rootfs_trust_check"

ROOTFS_TRUST_VARIABLES = "\
    ROOTFS_TRUST_CERTS \
    ROOTFS_TRUST_CLOUDS \
    ROOTFS_TRUST_CONFIG \
    ROOTFS_TRUST_LAYOUT \
    ROOTFS_TRUST_RUNTIMES \
    ROOTFS_TRUST_AT \
    ROOTFS_TRUST_OPTIONS \
"
ROOTFS_TRUST_VARIABLES[doc] = "The variables that are part of the hash of do_rootfs."

do_rootfs[depends] += "rootfs-trust-native:do_populate_sysroot"
do_rootfs[vardeps] += "${ROOTFS_TRUST_VARIABLES} rootfs_trust_install"
do_rootfs[file-checksums] += "${@' '.join('%s:True' % path for path in rootfs_trust_inputs(d))}"
do_image_qa[depends] += "rootfs-trust-native:do_populate_sysroot"
do_image_qa[vardeps] += "ROOTFS_TRUST_CHECK ROOTFS_TRUST_CHECK_OPTIONS rootfs_trust_check"

def rootfs_trust_words(d, name):
    return (d.getVar(name) or "").split()

def rootfs_trust_path(d, name):
    """Return the absolute path of a file or directory, searched in BBPATH if relative, or "" if it does not exist."""
    return bb.utils.which("/" if os.path.isabs(name) else d.getVar("BBPATH") or "", name)

def rootfs_trust_inputs(d):
    """Return the files and directories of the host that decide what is installed."""
    certificates = [rootfs_trust_path(d, name) for name in rootfs_trust_words(d, "ROOTFS_TRUST_CERTS")]
    configs = [rootfs_trust_path(d, name) for name in rootfs_trust_words(d, "ROOTFS_TRUST_CONFIG")]
    return [path for path in certificates + [os.path.dirname(config) for config in configs] if path]

def rootfs_trust_run(d, *words):
    """Run rootfs-trust; return its exit status, its JSON document, and its standard error."""
    import json
    import subprocess

    # Do not run in the build directory: a rootfs-trust.toml there would be used, but is not part of the task hash.
    done = subprocess.run(
        ["rootfs-trust", *words, "--format", "json"],
        cwd=d.getVar("T"),
        env={**os.environ, "PATH": d.getVar("PATH")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
    )
    bb.note("rootfs-trust %s\n%s%s" % (" ".join(words), done.stdout, done.stderr))
    try:
        return done.returncode, json.loads(done.stdout), done.stderr
    except ValueError:
        return done.returncode, {}, done.stderr

def rootfs_trust_line(each):
    """Return a warning, an error or a finding as one line: path, message and fix."""
    advice = each.get("hint") or each.get("fix")
    where = "%s: " % each["path"] if each.get("path") else ""
    return "%s%s%s [%s]" % (where, each["message"], " (%s)" % advice if advice else "", each.get("id", "rootfs-trust"))

def rootfs_trust_fatal(done):
    status, document, said = done
    errors = [rootfs_trust_line(each) for each in document.get("errors", [])] or [said.strip()]
    bb.fatal("rootfs-trust ended with status %d\n%s" % (status, "\n".join(errors)))

def rootfs_trust_common_options(d):
    options = ["--root", d.getVar("IMAGE_ROOTFS")]
    if d.getVar("ROOTFS_TRUST_AT"):
        options += ["--at", d.getVar("ROOTFS_TRUST_AT")]
    if d.getVar("ROOTFS_TRUST_CONFIG"):
        options += ["--config", rootfs_trust_path(d, d.getVar("ROOTFS_TRUST_CONFIG"))]
    return options

def rootfs_trust_install_options(d):
    options = rootfs_trust_common_options(d) + ["--layout", d.getVar("ROOTFS_TRUST_LAYOUT")]
    for name in rootfs_trust_words(d, "ROOTFS_TRUST_CERTS"):
        options += ["--cert", rootfs_trust_path(d, name)]
    for cloud in rootfs_trust_words(d, "ROOTFS_TRUST_CLOUDS"):
        options += ["--cloud", cloud]
    if rootfs_trust_words(d, "ROOTFS_TRUST_RUNTIMES"):
        options += ["--runtimes", ",".join(rootfs_trust_words(d, "ROOTFS_TRUST_RUNTIMES"))]
    # Python functions do not have this variable in their environment, and their SOURCE_DATE_EPOCH is another time.
    if d.getVar("REPRODUCIBLE_TIMESTAMP_ROOTFS"):
        options += ["--timestamp", d.getVar("REPRODUCIBLE_TIMESTAMP_ROOTFS")]
    return options + rootfs_trust_words(d, "ROOTFS_TRUST_OPTIONS")

python rootfs_trust_install() {
    done = rootfs_trust_run(d, "install", *rootfs_trust_install_options(d))
    if done[0] != 0:
        rootfs_trust_fatal(done)
    for warning in done[1]["warnings"]:
        bb.warn(rootfs_trust_line(warning))
}
rootfs_trust_install[doc] = "Installs CA certificates and settings into the root filesystem"

python rootfs_trust_check() {
    wanted = d.getVar("ROOTFS_TRUST_CHECK")
    if wanted == "off":
        return
    options = rootfs_trust_common_options(d) + ["--fail-on", "error"]
    done = rootfs_trust_run(d, "check", *options, *rootfs_trust_words(d, "ROOTFS_TRUST_CHECK_OPTIONS"))
    if done[0] not in (0, 1) or "findings" not in done[1]:
        rootfs_trust_fatal(done)
    tell = {"error": bb.error if wanted == "error" else bb.warn, "warning": bb.warn}
    for finding in done[1]["findings"]:
        tell.get(finding["level"], bb.note)(rootfs_trust_line(finding))
    if done[0] == 1 and wanted == "error":
        bb.fatal('rootfs-trust check has found errors; set ROOTFS_TRUST_CHECK = "warn" to build the image anyway')
}
rootfs_trust_check[doc] = "Checks the finished root filesystem with rootfs-trust"

def rootfs_trust_paths(d, name):
    for word in rootfs_trust_words(d, name):
        path = rootfs_trust_path(d, word)
        if not path:
            hint = "use an absolute path, or one relative to the build directory or a layer, without spaces"
            bb.fatal("%s names '%s', which does not exist; %s" % (name, word, hint))
        # If the file is deleted later, the next build also fails here, and not in the middle of do_rootfs.
        bb.parse.mark_dependency(d, path)

def rootfs_trust_value(d, name, pattern, hint):
    import re

    value = d.getVar(name) or ""
    if not re.fullmatch(pattern, value):
        bb.fatal("%s has the value '%s', but must be %s" % (name, value, hint))

# Report malformed values before anything is built.
# nooelint: oelint.task.noanonpython
python () {
    rootfs_trust_value(d, "ROOTFS_TRUST_CONFIG", r"\S*", "one file")
    rootfs_trust_value(d, "ROOTFS_TRUST_LAYOUT", r"[a-z0-9-]+", "the name of a layout, or auto")
    rootfs_trust_value(d, "ROOTFS_TRUST_AT", r"|\d+|\d{4}-\d\d-\d\d(T\S+)?", "a time: 2027-01-31T12:00:00Z")
    rootfs_trust_value(d, "ROOTFS_TRUST_CHECK", r"error|warn|off", "error, warn or off")
    rootfs_trust_value(d, "ROOTFS_TRUST_RUNTIMES", r"\s*([a-z]+(\s+|$))*", "auto, none, or names of runtimes")
    cloud = r"(c8y|aws|az)(@[A-Za-z0-9_-]+)?"
    rootfs_trust_value(d, "ROOTFS_TRUST_CLOUDS", r"\s*(%s(\s+|$))*" % cloud, "names of clouds: c8y, aws, az, c8y@edge")
    rootfs_trust_paths(d, "ROOTFS_TRUST_CERTS")
    rootfs_trust_paths(d, "ROOTFS_TRUST_CONFIG")
}
