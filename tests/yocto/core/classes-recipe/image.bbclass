# The order of openembedded-core's image tasks, on a root filesystem that is there already.
IMAGE_ROOTFS ?= "${WORKDIR}/rootfs"
IMAGE_CLASSES ??= ""
inherit_defer ${IMAGE_CLASSES}

def run_each(d, variable):
    for function in (d.getVar(variable) or "").split():
        bb.build.exec_func(function, d)

python do_rootfs() {
    run_each(d, "ROOTFS_POSTPROCESS_COMMAND")
}
do_rootfs[nostamp] = "1"
addtask rootfs

python do_image_qa() {
    run_each(d, "IMAGE_QA_COMMANDS")
}
do_image_qa[nostamp] = "1"
addtask image_qa after do_rootfs
