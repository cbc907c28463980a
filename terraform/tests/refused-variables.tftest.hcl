# One broken input for each rule of a variable, all of a round in one plan: every one is refused, by a message of its own, before anything is made.
mock_provider "google" {
  source = "./tests/mocks"
}

run "what_is_wrong_is_refused_in_the_first_round" {
  command = plan

  variables {
    # An address of an admin has an at sign.
    admins = ["somebody"]
    # The agent image is named by digest and not by tag.
    agent_image = "europe-west1-docker.pkg.dev/acme/penstock/agent-job:latest"
    # There is nothing to deploy in a folder without archives.
    archives = "tests"
    # A job may not take two days.
    agent_job = { timeout_hours = 48 }
    # An alert goes to an address.
    alerts = { emails = ["oncall"] }
    # A backup is kept for fourteen weeks at most.
    backups = { retention_days = 365 }
    # A budget of nothing is no budget.
    budget = { billing_account = "012345-6789AB-CDEF01", usd = 0 }
    # Owner and repository are given apart.
    build = { owner = "acme/penstock", repository = "penstock" }
    # A key is rotated after a day at the earliest.
    cmek = { rotation_days = 0 }
    # There is no environment of another name.
    environment = "production"
    # The database has a place that Google knows.
    firestore_location = "Europe"
    # An account of GitHub is named by its login.
    github_accounts = ["https://github.com/acme"]
    # A GitHub App is named by its number.
    github_app_id = "Iv1.abcdef"
    # There is no identity of another mode.
    identity = { mode = "none" }
    # A label has small letters.
    labels = { Team = "platform" }
    # A domain has no scheme.
    load_balancer = { domain = "https://penstock.example.com" }
    # There is no log level of another name.
    log_level = "VERBOSE"
    # A network has room for its jobs.
    network = { allowed_names = ["github.com"], range = "10.8.0.0/29" }
    # A prefix has no capitals.
    prefix = "Penstock"
    # A project is named by its id.
    project_id = "My Project"
    # A public URL has no path.
    public_url = "https://penstock.example.com/"
    # A region is not a zone.
    region = "europe-west1-b"
    # A run may spend something.
    run_budget_usd = 0
    # A version of a secret is a whole number from one.
    secret_versions = { anthropic_api_key = 0 }
    # A key of Anthropic has no spaces.
    anthropic_api_key = "a key with spaces"
    # A private key is a PEM file.
    github_private_key = "c2VjcmV0"
    # A webhook secret is not easily guessed.
    github_webhook_secret = "hunter2"
    # A previous webhook secret is not easily guessed.
    github_webhook_secret_previous = "hunter1"
    # A tenant begins with a letter.
    tenant = "1st"
    # Spans travel encrypted.
    trace_endpoint = "http://collector:4318"
    # Half an instance cannot be kept warm.
    warm_instances = { intake = 0.5 }
  }
  expect_failures = [
    var.admins,
    var.agent_image,
    var.agent_job,
    var.alerts,
    var.archives,
    var.backups,
    var.budget,
    var.build,
    var.cmek,
    var.environment,
    var.firestore_location,
    var.github_accounts,
    var.github_app_id,
    var.identity,
    var.labels,
    var.load_balancer,
    var.log_level,
    var.network,
    var.prefix,
    var.project_id,
    var.public_url,
    var.region,
    var.run_budget_usd,
    var.secret_versions,
    var.anthropic_api_key,
    var.github_private_key,
    var.github_webhook_secret,
    var.github_webhook_secret_previous,
    var.tenant,
    var.trace_endpoint,
    var.warm_instances,
  ]
}

run "what_is_wrong_is_refused_in_the_second_round" {
  command = plan

  variables {
    # At least one job may run.
    agent_job = { max_running = 0 }
    # A channel is named in full.
    alerts = { channels = ["1234"] }
    # A billing account is named by its id.
    budget = { billing_account = "my account", usd = 50 }
    # An invoker has one role or none.
    identity = { invoker_role = "operator" }
    # A page needs more than ten requests a minute.
    load_balancer = { domain = "penstock.example.com", requests_per_minute = 10 }
    # The firewall knows no wildcards.
    network = { allowed_names = ["*.github.com"] }
    # A prefix leaves room for the names of functions.
    prefix = "penstock-of-the-platform-team"
    # A project has to be named.
    project_id = ""
    # A region is not a continent.
    region = "europe"
  }
  expect_failures = [
    var.agent_job,
    var.alerts,
    var.budget,
    var.identity,
    var.load_balancer,
    var.network,
    var.prefix,
    var.project_id,
    var.region,
  ]
}

run "what_is_wrong_is_refused_in_the_third_round" {
  command = plan

  variables {
    # There is no sandbox of another name.
    agent_job = { sandbox = "docker" }
    # No money a day is too little to be told of.
    alerts = { usd_per_day = 0 }
    # Nobody is let in without an identity.
    identity = { invokers = ["allUsers"] }
  }
  expect_failures = [
    var.agent_job,
    var.alerts,
    var.identity,
  ]
}

run "what_is_wrong_is_refused_in_the_fourth_round" {
  command = plan

  variables {
    # An issuer is an https URL.
    identity = { mode = "oidc", oidc = { issuer = "http://issuer.example.com", audience = "penstock" } }
  }
  expect_failures = [
    var.identity,
  ]
}

run "what_is_wrong_is_refused_in_the_fifth_round" {
  command = plan

  variables {
    # An audience of the proxy is what Google shows.
    identity = { iap_audiences = { api = "penstock" } }
  }
  expect_failures = [
    var.identity,
  ]
}
