# Installs a CA into a root filesystem in a directory on this machine. As it is, this file changes a finished directory.
# In your own build, use the provisioner, or the post-processor of the same name, with the path of the directory.

variable "rootfs" {
  type        = string
  description = "The directory that becomes / on the device."
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
