# One broken input for each rule over several variables (checks.tf).
mock_provider "google" {
  mock_data "google_project" {
    defaults = { number = "123456789012" }
  }
  mock_data "google_storage_project_service_account" {
    defaults = { member = "serviceAccount:service-123456789012@gs-project-accounts.iam.gserviceaccount.com" }
  }
  mock_resource "google_service_account" {
    defaults = {
      email  = "someone@acme-penstock.iam.gserviceaccount.com"
      id     = "projects/acme-penstock/serviceAccounts/someone@acme-penstock.iam.gserviceaccount.com"
      member = "serviceAccount:someone@acme-penstock.iam.gserviceaccount.com"
      name   = "projects/acme-penstock/serviceAccounts/someone@acme-penstock.iam.gserviceaccount.com"
    }
  }
}

variables {
  project_id  = "acme-penstock"
  region      = "europe-west1"
  environment = "dev"
  agent_image = "europe-west1-docker.pkg.dev/acme-penstock/penstock/agent-job@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
}

run "a_function_that_does_not_exist_cannot_be_kept_warm" {
  command = plan
  plan_options {
    target = [terraform_data.checks]
  }

  variables {
    warm_instances = { intakes = 1 }
  }
  expect_failures = [terraform_data.checks]
}

run "a_function_cannot_be_kept_warmer_than_it_may_grow" {
  command = plan
  plan_options {
    target = [terraform_data.checks]
  }

  variables {
    warm_instances = { sweep = 2 }
  }
  expect_failures = [terraform_data.checks]
}

run "a_previous_webhook_secret_stands_beside_its_successor" {
  command = plan
  plan_options {
    target = [terraform_data.checks]
  }

  variables {
    secret_versions = { github_webhook_secret_previous = 1 }
  }
  expect_failures = [terraform_data.checks]
}

run "a_GitHub_App_has_its_private_key" {
  command = plan
  plan_options {
    target = [terraform_data.checks]
  }

  variables {
    github_app_id = "12345"
  }
  expect_failures = [terraform_data.checks]
}

run "outside_dev_somebody_may_submit" {
  command = plan
  plan_options {
    target = [terraform_data.checks]
  }

  variables {
    environment = "staging"
  }
  expect_failures = [terraform_data.checks]
}

run "only_the_mode_iam_has_invokers_with_a_role" {
  command = plan
  plan_options {
    target = [terraform_data.checks]
  }

  variables {
    identity = { mode = "oidc", invoker_role = "developer", oidc = { issuer = "https://issuer.example.com", audience = "penstock" } }
  }
  expect_failures = [terraform_data.checks]
}

run "the_mode_oidc_knows_its_issuer" {
  command = plan
  plan_options {
    target = [terraform_data.checks]
  }

  variables {
    identity = { mode = "oidc" }
  }
  expect_failures = [terraform_data.checks]
}

run "the_mode_iap_has_a_load_balancer" {
  command = plan
  plan_options {
    target = [terraform_data.checks]
  }

  variables {
    identity = { mode = "iap", iap_audiences = { api = "/projects/1/global/backendServices/1", intake = "/projects/1/global/backendServices/2" } }
  }
  expect_failures = [terraform_data.checks]
}

run "the_mode_iap_knows_both_audiences" {
  command = plan
  plan_options {
    target = [terraform_data.checks]
  }

  variables {
    identity      = { mode = "iap", iap_audiences = { api = "/projects/1/global/backendServices/1" } }
    load_balancer = { domain = "penstock.example.com" }
  }
  expect_failures = [terraform_data.checks]
}

run "an_attempt_with_a_GPU_takes_an_hour_at_most" {
  command = plan
  plan_options {
    target = [terraform_data.checks]
  }

  variables {
    agent_job = { gpu = true, timeout_hours = 2 }
  }
  expect_failures = [terraform_data.checks]
}

run "production_can_be_brought_back" {
  command = plan
  plan_options {
    target = [terraform_data.checks]
  }

  variables {
    environment         = "prod"
    deletion_protection = false
    backups             = { retention_days = 0 }
    identity            = { invokers = ["group:developers@example.com"] }
    alerts              = { emails = ["oncall@example.com"] }
  }
  expect_failures = [terraform_data.checks]
}

run "a_network_allows_something" {
  command = plan
  plan_options {
    target = [terraform_data.checks]
  }

  variables {
    network = { allowed_names = [] }
  }
  expect_failures = [terraform_data.checks]
}

run "the_alerts_of_production_reach_somebody" {
  command = plan
  plan_options {
    target = [terraform_data.checks]
  }

  variables {
    environment = "prod"
    identity    = { invokers = ["group:developers@example.com"] }
  }
  expect_failures = [terraform_data.checks]
}
