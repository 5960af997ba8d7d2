# An AMI of Amazon Linux 2023 with nspin and its units, from the .rpm.
variable "region" {
  type        = string
  description = "Where the image is built."
}

variable "package" {
  type        = string
  description = "The .rpm, here."
}

variable "sha256" {
  type        = string
  description = "What SHA256SUMS says of it."
}

variable "architecture" {
  type    = string
  default = "x86_64" # or arm64, with a t4g.small
}

variable "instance_type" {
  type    = string
  default = "t3.small"
}

source "amazon-ebs" "al2023" {
  region        = var.region
  instance_type = var.instance_type
  ami_name      = "nspin-al2023-${var.architecture}-{{timestamp}}"
  ssh_username  = "ec2-user"
  source_ami_filter {
    owners      = ["amazon"]
    most_recent = true
    filters = {
      name         = "al2023-ami-2023.*"
      architecture = var.architecture
    }
  }
}

build {
  sources = ["source.amazon-ebs.al2023"]

  provisioner "file" {
    source      = var.package
    destination = "/tmp/nspin.package"
  }

  provisioner "shell" {
    script           = "${path.root}/provision.sh"
    environment_vars = ["SHA256=${var.sha256}"]
    execute_command  = "chmod +x {{ .Path }}; sudo env {{ .Vars }} {{ .Path }}"
  }
}
