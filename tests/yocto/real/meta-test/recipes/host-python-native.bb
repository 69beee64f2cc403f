SUMMARY = "The host's Python in the place of python3-native, and pure packages in the versions of the release"
DESCRIPTION = "python3-native itself takes the network and an hour. A virtual environment moves with its folder, as it does."
LICENSE = "PSF-2.0 & BSD-3-Clause & MIT"
LIC_FILES_CHKSUM = "file://${COMMON_LICENSE_DIR}/MIT;md5=0835ade698e0bcf8506ecda2f7b4f302"

inherit native

PROVIDES += "\
    python3-native \
    python3-build-native \
    python3-hatchling-native \
    python3-installer-native \
    python3-click-native \
    python3-jinja2-native \
"
RPROVIDES:${PN} += "\
    python3-click-native \
    python3-jinja2-native \
    python3-misc-native \
    python3-modules-native \
"
INHIBIT_DEFAULT_DEPS = "1"

do_fetch[noexec] = "1"
do_unpack[noexec] = "1"
do_qa_unpack[noexec] = "1"

do_install() {
    install -d "${D}${bindir}" "${D}${libdir}/${HOST_PYTHON_VERSION}"
    ln -s "${HOST_PYTHON}" "${D}${bindir}/nativepython3"
    printf 'home = %s\n' "$(dirname "${HOST_PYTHON}")" > "${D}${bindir}/pyvenv.cfg"
    cp -R --no-preserve=ownership "${HOST_SITE_PACKAGES}" "${D}${libdir}/${HOST_PYTHON_VERSION}/site-packages"
    printf '#!/usr/bin/env nativepython3\nfrom build.__main__ import entrypoint\nentrypoint()\n' > "${D}${bindir}/pyproject-build"
    chmod 0755 "${D}${bindir}/pyproject-build"
}
