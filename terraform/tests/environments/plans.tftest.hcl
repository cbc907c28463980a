# With -var-file=environments/NAME.tfvars: what ships as an example is not refused by its own rules.
mock_provider "google" {
  source = "./tests/mocks"
}

variables {
  project_id  = "acme-penstock"
  region      = "europe-west1"
  agent_image = "europe-west1-docker.pkg.dev/acme-penstock/penstock/agent-job@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
}

run "the_environment_can_be_planned" {
  command = plan

  assert {
    condition     = length(module.function) == 12
    error_message = "a function is missing"
  }
}
