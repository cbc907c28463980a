# One broken input for each rule over several variables (checks.tf), as many at once as go together.
mock_provider "google" {
  source = "./tests/mocks"
}

run "what_does_not_go_together_is_refused_anywhere" {
  command = plan
  plan_options {
    target = [terraform_data.checks]
  }

  variables {
    # A function that does not exist cannot be kept warm, and none warmer than it may grow.
    warm_instances = { intakes = 1, sweep = 2 }
    # A previous webhook secret stands beside its successor.
    secret_versions = { github_webhook_secret_previous = 1 }
    # A GitHub App has its private key.
    github_app_id = "12345"
    # Only the mode iam has invokers with a role, and the mode oidc knows its issuer.
    identity = { mode = "oidc", invoker_role = "developer" }
    # An attempt with a GPU takes an hour at most.
    agent_job = { gpu = true, timeout_hours = 2 }
    # A network allows something.
    network = { allowed_names = [] }
  }
  expect_failures = [
    terraform_data.checks["warm-function-exists"],
    terraform_data.checks["warm-within-limit"],
    terraform_data.checks["previous-secret-has-successor"],
    terraform_data.checks["app-has-key"],
    terraform_data.checks["invoker-role-is-for-iam"],
    terraform_data.checks["oidc-has-issuer"],
    terraform_data.checks["gpu-takes-an-hour"],
    terraform_data.checks["network-allows-something"],
  ]
}

run "production_can_be_brought_back_and_reaches_somebody_and_its_proxy_is_there" {
  command = plan
  plan_options {
    target = [terraform_data.checks]
  }

  variables {
    environment         = "prod"
    deletion_protection = false
    backups             = { retention_days = 0 }
    identity            = { mode = "iap", iap_audiences = { api = "/projects/1/global/backendServices/1" } }
  }
  expect_failures = [
    terraform_data.checks["production-can-be-brought-back"],
    terraform_data.checks["alerts-of-production-reach-somebody"],
    terraform_data.checks["iap-has-load-balancer"],
    terraform_data.checks["iap-has-audiences"],
  ]
}

run "outside_dev_somebody_may_submit" {
  command = plan
  plan_options {
    target = [terraform_data.checks]
  }

  variables {
    environment = "staging"
  }
  expect_failures = [terraform_data.checks["somebody-may-submit"]]
}
