# The tasks of openembedded-core's base.bbclass that our classes have code in. Nothing is fetched: tests put the files
# of SRC_URI where do_unpack would.
do_compile() {
    :
}
do_install() {
    :
}
do_compile[dirs] = "${B}"
do_install[cleandirs] = "${D}"
do_compile[nostamp] = "1"
do_install[nostamp] = "1"
addtask compile
addtask install after do_compile
