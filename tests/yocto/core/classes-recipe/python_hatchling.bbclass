# The real class builds a wheel. Here it fetches and unpacks SRC_URI, as the tasks of openembedded-core's base.bbclass do.
THISDIR = "${@os.path.dirname(d.getVar('FILE'))}"
DL_DIR = "${TOPDIR}/downloads"
FILESPATH = "${FILESEXTRAPATHS}"
python do_fetch() {
    bb.fetch2.Fetch((d.getVar("SRC_URI") or "").split(), d).download()
}
python do_unpack() {
    bb.fetch2.Fetch((d.getVar("SRC_URI") or "").split(), d).unpack(d.getVar("WORKDIR"))
}
do_fetch[nostamp] = "1"
do_unpack[nostamp] = "1"
addtask fetch
addtask unpack after do_fetch
