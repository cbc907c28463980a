# The bucket is made once, by hand, before the first init (README.md, "Bootstrap"):
#   terraform init -backend-config=bucket=PROJECT-terraform-state
terraform {
  backend "gcs" {
    prefix = "penstock"
  }
}
