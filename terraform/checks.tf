# Rules over several variables, by name: each stops a plan before anything is made. What one variable alone may be stands beside it.
locals {
  rules = {
    project-is-there = {
      holds = data.google_project.this.number != null && data.google_project.this.number != ""
      says  = "project ${var.project_id} does not exist, or you may not see it."
    }
    warm-function-exists = {
      holds = alltrue([for name in keys(var.warm_instances) : contains(keys(local.functions), name)])
      says  = "warm_instances names a function that does not exist; there are ${join(", ", keys(local.functions))}."
    }
    warm-within-limit = {
      holds = alltrue([for name, count in var.warm_instances : count <= try(local.functions[name].max_instances, count)])
      says  = "warm_instances asks for more instances of a function than it may have at most (max_instances in functions.tf)."
    }
    previous-secret-has-successor = {
      holds = var.secret_versions.github_webhook_secret_previous == null || var.secret_versions.github_webhook_secret != null
      says  = "secret_versions.github_webhook_secret_previous is there without github_webhook_secret: a previous one only makes sense beside its successor."
    }
    app-has-key = {
      holds = (var.github_app_id == null) == (var.secret_versions.github_private_key == null)
      says  = "github_app_id and secret_versions.github_private_key belong together: give both, or neither."
    }
    somebody-may-submit = {
      holds = var.identity.mode != "iam" || length(var.identity.invokers) > 0 || var.environment == "dev"
      says  = "identity.mode iam with no identity.invokers lets nobody submit anything; name somebody, such as group:developers@example.com."
    }
    invoker-role-is-for-iam = {
      holds = !contains(["oidc", "iap"], var.identity.mode) || var.identity.invoker_role == "none"
      says  = "identity.invoker_role is for identity.mode iam; other modes have no invokers."
    }
    oidc-has-issuer = {
      holds = var.identity.mode != "oidc" || var.identity.oidc != null
      says  = "identity.mode oidc needs identity.oidc = { issuer, audience }."
    }
    iap-has-load-balancer = {
      holds = var.identity.mode != "iap" || var.load_balancer != null
      says  = "identity.mode iap needs load_balancer: the Identity-Aware Proxy stands in it."
    }
    iap-has-audiences = {
      holds = var.identity.mode != "iap" || toset(keys(var.identity.iap_audiences)) == toset(["api", "intake"])
      says  = "identity.mode iap needs identity.iap_audiences = { api, intake }; apply once with mode iam and take them from the output iap_audiences."
    }
    gpu-takes-an-hour = {
      holds = !var.agent_job.gpu || var.agent_job.timeout_hours <= 1
      says  = "agent_job.gpu allows an attempt one hour: Cloud Run ends a task with a GPU then. Set agent_job.timeout_hours = 1."
    }
    production-can-be-brought-back = {
      holds = var.environment != "prod" || var.deletion_protection || var.backups.retention_days > 0
      says  = "a production system without deletion protection and without backups cannot be brought back; turn one of them on."
    }
    network-allows-something = {
      holds = try(var.network.allowed_names, null) == null ? true : length(var.network.allowed_names) > 0
      says  = "network.allowed_names is empty, so that no job could clone a repository; name at least github.com."
    }
    alerts-of-production-reach-somebody = {
      holds = var.environment != "prod" || length(var.alerts.emails) + length(var.alerts.channels) > 0
      says  = "a production system needs somebody whom its alerts reach: set alerts.emails or alerts.channels."
    }
    # The two rules that the identity modes stand on, whatever the map of functions says.
    only-webhooks-is-public = {
      holds = [for name, one in local.functions : name if one.door == "public"] == ["webhooks"]
      says  = "only webhooks has a public door: it alone checks a signature over the body."
    }
    public-door-asks-for-tokens = {
      holds = alltrue([for name, one in local.functions : one.door != "public" || local.identity_of[name].PENSTOCK_IDENTITY != "iam"])
      says  = "PENSTOCK_IDENTITY=iam and a public invoker exclude each other: with nobody checking tokens, anybody could be anyone."
    }
  }
}

resource "terraform_data" "checks" {
  for_each = local.rules

  lifecycle {
    precondition {
      condition     = each.value.holds
      error_message = each.value.says
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
