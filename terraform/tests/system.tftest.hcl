# The system as dev has it; a service account has its name as soon as it is planned.
mock_provider "google" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  # Terraform 1.11 wants ephemeral variables set in both halves of a test.
  anthropic_api_key              = "no-key-of-anybody"
  github_private_key             = "-----BEGIN PRIVATE KEY-----"
  github_webhook_secret          = "0123456789abcdef0123456789abcdef"
  github_webhook_secret_previous = "fedcba9876543210fedcba9876543210"
}

run "the_system_is_made_as_it_was_asked_for_and_lets_nobody_do_more_than_the_table_of_grants_says" {
  command = plan

  # The system can be made.
  assert {
    condition     = length(module.function) == 12
    error_message = "there are twelve functions"
  }
  # Every subscription has a dead letter but the dead letters own.
  assert {
    condition = alltrue([
      for name, one in module.function : one.subscription == null ? true : length(one.subscription.dead_letter_policy) == (name == "dead-letters" ? 0 : 1)
    ])
    error_message = "a subscription has no dead letter, or the dead letters' own would feed itself"
  }
  # A message goes to the dead letters after twenty deliveries.
  assert {
    condition = alltrue(flatten([
      for one in module.function : [for policy in try(one.subscription.dead_letter_policy, []) : policy.max_delivery_attempts == 20 && policy.dead_letter_topic == "projects/acme-penstock/topics/dead-letter"]
    ]))
    error_message = "another limit, or another topic"
  }
  # No subscription expires.
  assert {
    condition     = alltrue([for one in module.function : one.subscription == null ? true : one.subscription.expiration_policy[0].ttl == ""])
    error_message = "Google deletes a subscription that was idle for 31 days"
  }
  # No grant is a primitive role.
  assert {
    condition     = length(setintersection(toset(concat(local.project_roles, flatten(values(module.function)[*].roles))), toset(["roles/editor", "roles/owner", "roles/viewer"]))) == 0
    error_message = "a primitive role is as wide as the project"
  }
  # Only webhooks lets anybody in.
  assert {
    condition     = [for name, one in module.function : name if length(setintersection(toset(one.invokers), toset(["allUsers", "allAuthenticatedUsers"]))) > 0] == ["webhooks"]
    error_message = "allUsers stands on another function than webhooks, or not on webhooks"
  }
  # A public function does not believe what cloud run has checked.
  assert {
    condition     = module.function["webhooks"].environment.PENSTOCK_IDENTITY == "oidc" && alltrue([for name, one in module.function : name == "webhooks" || one.environment.PENSTOCK_IDENTITY == "iam"])
    error_message = "identity mode iam stands on a public function, or is missing on another"
  }
  # Every function has an account of its own.
  assert {
    condition     = length(distinct(values(module.function)[*].account_id)) == length(module.function)
    error_message = "two functions share an account"
  }
  # An agent job may call attempts and nothing else.
  assert {
    condition     = local.callers.jobs == { agent-job = google_service_account.agent_job.member } && [for name, one in local.functions : name if one.door == "jobs"] == ["attempts"]
    error_message = "attempts is called by somebody else, or a job may call something else"
  }
  assert {
    condition     = [for name, one in module.function : name if contains(one.caller_names, "agent-job")] == ["attempts"]
    error_message = "the job's account has another grant than run.invoker on attempts"
  }
  # Only doors for people jobs and github can be reached from outside.
  assert {
    condition     = toset([for name, one in module.function : name if one.ingress == "ALLOW_ALL"]) == toset(["api", "attempts", "intake", "webhooks"])
    error_message = "a function that only the platform calls can be reached from the internet"
  }
  # The tiers of the job are as asked and never try again.
  assert {
    condition = { for tier, job in google_cloud_run_v2_job.agent : tier => job.template[0].template[0].containers[0].resources[0].limits } == {
      high     = tomap({ cpu = "4", memory = "8Gi" })
      standard = tomap({ cpu = "2", memory = "4Gi" })
    }
    error_message = "002-49 and 002-50 say otherwise"
  }
  assert {
    condition     = alltrue([for job in google_cloud_run_v2_job.agent : job.template[0].template[0].max_retries == 0])
    error_message = "the engine alone counts attempts"
  }
  # Deliveries expire.
  assert {
    condition     = [for one in google_firestore_field.expiring : "${one.collection}.${one.field}"] == ["deliveries._penstockExpireAt"]
    error_message = "the ledger of webhooks would grow for ever"
  }
  # What agents remember can be found by likeness.
  assert {
    condition     = [for field in google_firestore_index.vectors.fields : "${field.field_path} ${try(field.vector_config[0].dimension, "")}"] == ["project ", "embedding 768"]
    error_message = "the index of memories has other fields, or another dimension"
  }
  # A secret without a number is neither made nor given to anybody.
  assert {
    condition     = length(google_secret_manager_secret.secret) == 0 && alltrue([for one in module.function : !contains(one.roles, "roles/secretmanager.secretAccessor")])
    error_message = "a secret is there that nobody asked for"
  }
}
