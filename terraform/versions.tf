terraform {
  # 1.11 has write-only arguments: secrets reach Secret Manager and never the state.
  required_version = ">= 1.11"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 6.50, < 8.0"
    }
  }
}
