# Every function, by its folder. README.md says for each grant why.
#   door       public: anybody (GitHub signs) · people: who var.identity lets in · jobs: the agent job · ours: Pub/Sub, Scheduler, Workflows
#   publishes  topics          secrets   environment variables whose value is one
#   bucket     reads and writes blobs     signs     signs URLs to them
#   jobs       start: starts and cancels agent jobs · cancel: cancels them
#   workflows  drives: starts, asks, cancels and wakes executions · wakes: wakes them
locals {
  function_defaults = {
    bucket          = true
    concurrency     = 20
    jobs            = null
    max_instances   = 10
    memory          = "512Mi"
    publishes       = []
    secrets         = []
    signs           = false
    timeout_seconds = 60
    workflows       = null
  }
  all_topics = ["notification-requested", "run-accepted", "run-finished", "task-dispatched", "task-finished"]

  # Pools say how many attempts run at once (003-99 to 003-101); concurrency x max_instances only bounds what that may cost.
  function_settings = {
    agent-execution = {
      door        = "ours", publishes = ["run-accepted", "task-dispatched", "task-finished"]
      secrets     = ["ANTHROPIC_API_KEY", "GITHUB_PRIVATE_KEY"]
      signs       = true, jobs = "start"
      concurrency = 4, memory = "1Gi", timeout_seconds = 600
    }
    api = {
      door = "people", publishes = local.all_topics, jobs = "cancel", workflows = "drives"
      # Live events and logs are one long answer.
      concurrency = 80, timeout_seconds = 3600
    }
    attempts = {
      door    = "jobs", publishes = ["run-accepted", "task-dispatched", "task-finished"]
      secrets = ["ANTHROPIC_API_KEY", "GITHUB_PRIVATE_KEY"]
      signs   = true
      # A job's model calls pass through it, as long as the model takes.
      concurrency = 40, memory = "1Gi", timeout_seconds = 900
    }
    dead-letters = {
      door = "ours", publishes = ["notification-requested", "run-finished"], workflows = "wakes"
    }
    decomposition = {
      door        = "ours", publishes = local.all_topics
      secrets     = ["ANTHROPIC_API_KEY", "GITHUB_PRIVATE_KEY"]
      signs       = true, jobs = "start", workflows = "drives"
      concurrency = 4, memory = "1Gi", timeout_seconds = 600
    }
    intake = {
      door = "people", publishes = ["run-accepted"]
    }
    integration = {
      door        = "ours", publishes = local.all_topics, secrets = ["GITHUB_PRIVATE_KEY"], workflows = "wakes"
      concurrency = 4, memory = "1Gi", timeout_seconds = 600
    }
    notification = {
      door = "ours", secrets = ["GITHUB_PRIVATE_KEY"], bucket = false
    }
    result-handling = {
      door = "ours", publishes = local.all_topics, jobs = "cancel", workflows = "drives"
    }
    stages = {
      door = "ours", publishes = local.all_topics, jobs = "cancel", workflows = "drives"
    }
    sweep = {
      door = "ours", publishes = local.all_topics, jobs = "cancel", workflows = "drives"
      # A second sweep beside one that takes long would only do the same.
      concurrency = 2, max_instances = 1, timeout_seconds = 300
    }
    webhooks = {
      door    = "public", publishes = ["run-accepted", "run-finished"]
      secrets = ["GITHUB_WEBHOOK_SECRET", "GITHUB_WEBHOOK_SECRET_PREVIOUS"]
    }
  }
  functions = { for name, settings in local.function_settings : name => merge(local.function_defaults, settings) }

  # Who may call a function, and whom the function knows as ours. `public` is left out: the module grants it by itself.
  callers = {
    jobs   = { agent-job = google_service_account.agent_job.member }
    people = merge({ for one in var.identity.invokers : one => one }, local.iap_callers)
  }
  callers_of_ours = merge(
    { for name in keys(local.subscriptions) : name => { delivery = google_service_account.delivery.member } },
    { sweep = { scheduler = google_service_account.scheduler.member }, stages = { workflow = google_service_account.workflow.member } },
  )
  platform_accounts = {
    stages = google_service_account.workflow.email
    sweep  = google_service_account.scheduler.email
  }
}

module "function" {
  source   = "./modules/function"
  for_each = local.functions

  name          = each.key
  project_id    = var.project_id
  region        = var.region
  archive       = "${var.archives}/${each.key}.zip"
  sources       = google_storage_bucket.sources.name
  build         = { account = google_service_account.build.id, repository = google_artifact_registry_repository.images["functions"].id }
  key           = local.key
  account_id    = "${var.prefix}-${each.key}"
  settings      = each.value
  min_instances = lookup(var.warm_instances, each.key, 0)
  ingress       = local.ingress[each.value.door]
  callers       = each.value.door == "ours" ? local.callers_of_ours[each.key] : lookup(local.callers, each.value.door, {})
  environment   = local.environments[each.key]
  secrets = {
    for variable in each.value.secrets : variable => {
      id      = google_secret_manager_secret.secret[variable].secret_id
      version = google_secret_manager_secret_version.version[variable].version
    } if contains(keys(local.secrets), variable)
  }
  topics = { for topic in each.value.publishes : topic => google_pubsub_topic.topic[topic].name }
  bucket = each.value.bucket ? google_storage_bucket.data.name : null
  subscription = !contains(keys(local.subscriptions), each.key) ? null : merge(local.subscriptions[each.key], local.backoff, {
    topic             = google_pubsub_topic.topic[local.subscriptions[each.key].topic].id
    dead_letter_topic = "projects/${var.project_id}/topics/${google_pubsub_topic.topic[local.dead_letter_topic].name}"
    account           = google_service_account.delivery.email
    forwarder         = local.agents.pubsub
  })

  depends_on = [
    google_artifact_registry_repository_iam_member.build,
    google_project_iam_member.build_logs,
    google_project_iam_member.build_sources,
    google_storage_bucket_iam_member.build,
    google_firestore_database.default,
    terraform_data.checks,
  ]
}
