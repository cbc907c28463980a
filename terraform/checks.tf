# Rules over several variables: each stops a plan before anything is made. What one variable alone may be stands beside it.
resource "terraform_data" "checks" {
  lifecycle {
    precondition {
      condition     = data.google_project.this.number != null && data.google_project.this.number != ""
      error_message = "project ${var.project_id} does not exist, or you may not see it."
    }
    precondition {
      condition     = alltrue([for name in keys(var.warm_instances) : contains(keys(local.functions), name)])
      error_message = "warm_instances names a function that does not exist; there are ${join(", ", keys(local.functions))}."
    }
    precondition {
      condition     = alltrue([for name, count in var.warm_instances : count <= try(local.functions[name].max_instances, count)])
      error_message = "warm_instances asks for more instances of a function than it may have at most (max_instances in functions.tf)."
    }
    precondition {
      condition     = var.secret_versions.github_webhook_secret_previous == null || var.secret_versions.github_webhook_secret != null
      error_message = "secret_versions.github_webhook_secret_previous is there without github_webhook_secret: a previous one only makes sense beside its successor."
    }
    precondition {
      condition     = (var.github_app_id == null) == (var.secret_versions.github_private_key == null)
      error_message = "github_app_id and secret_versions.github_private_key belong together: give both, or neither."
    }
    precondition {
      condition     = var.identity.mode != "iam" || length(var.identity.invokers) > 0 || var.environment == "dev"
      error_message = "identity.mode iam with no identity.invokers lets nobody submit anything; name somebody, such as group:developers@example.com."
    }
    precondition {
      condition     = !contains(["oidc", "iap"], var.identity.mode) || var.identity.invoker_role == "none"
      error_message = "identity.invoker_role is for identity.mode iam; other modes have no invokers."
    }
    precondition {
      condition     = var.identity.mode != "oidc" || var.identity.oidc != null
      error_message = "identity.mode oidc needs identity.oidc = { issuer, audience }."
    }
    precondition {
      condition     = var.identity.mode != "iap" || var.load_balancer != null
      error_message = "identity.mode iap needs load_balancer: the Identity-Aware Proxy stands in it."
    }
    precondition {
      condition     = var.identity.mode != "iap" || toset(keys(var.identity.iap_audiences)) == toset(["api", "intake"])
      error_message = "identity.mode iap needs identity.iap_audiences = { api, intake }; apply once with mode iam and take them from the output iap_audiences."
    }
    precondition {
      condition     = !var.agent_job.gpu || var.agent_job.timeout_hours <= 1
      error_message = "agent_job.gpu allows an attempt one hour: Cloud Run ends a task with a GPU then. Set agent_job.timeout_hours = 1."
    }
    precondition {
      condition     = var.environment != "prod" || var.deletion_protection || var.backups.retention_days > 0
      error_message = "a production system without deletion protection and without backups cannot be brought back; turn one of them on."
    }
    precondition {
      condition     = try(var.network.allowed_names, null) == null ? true : length(var.network.allowed_names) > 0
      error_message = "network.allowed_names is empty, so that no job could clone a repository; name at least github.com."
    }
    precondition {
      condition     = var.environment != "prod" || length(var.alerts.emails) + length(var.alerts.channels) > 0
      error_message = "a production system needs somebody whom its alerts reach: set alerts.emails or alerts.channels."
    }
    # The two rules that the identity modes stand on, whatever the map of functions says.
    precondition {
      condition     = [for name, one in local.functions : name if one.door == "public"] == ["webhooks"]
      error_message = "only webhooks has a public door: it alone checks a signature over the body."
    }
    precondition {
      condition     = alltrue([for name, one in local.functions : one.door != "public" || local.identity_of[name].PENSTOCK_IDENTITY != "iam"])
      error_message = "PENSTOCK_IDENTITY=iam and a public invoker exclude each other: with nobody checking tokens, anybody could be anyone."
    }
  }
}

# What Google cannot change once the database exists: the first apply remembers the choice, and firestore.tf compares.
resource "terraform_data" "database" {
  input = {
    cmek     = local.firestore_key_wanted
    location = local.firestore_location
  }
  lifecycle {
    ignore_changes = [input]
  }
}
