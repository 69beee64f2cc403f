# Installs a CA into a root filesystem that Packer has as a folder on this machine. Alone it takes a ready folder;
# in a build of your own use the provisioner, or the post-processor of the same name, with the folder's path.

variable "rootfs" {
  type        = string
  description = "The folder that becomes / on the device."
}

variable "certificate" {
  type        = string
  description = "The CA to trust."
}

source "null" "rootfs" {
  communicator = "none"
}

build {
  sources = ["source.null.rootfs"]

  provisioner "shell-local" {
    environment_vars = ["ROOTFS=${var.rootfs}", "CERTIFICATE=${var.certificate}"]
    inline = [
      "rootfs-trust install --root \"$ROOTFS\" --cert \"$CERTIFICATE\"",
      "rootfs-trust check --ignore root-compromised --ignore root-removed --root \"$ROOTFS\"",
    ]
  }
}
