locals {
  # As shared/messages/topics.ts has them.
  topics            = toset(["dead-letter", "notification-requested", "run-accepted", "run-finished", "task-dispatched", "task-finished"])
  dead_letter_topic = "dead-letter"

  # As shared/runtime/subscriptions.ts has them, by the function that takes them. `ack_seconds` 600 is the longest that Pub/Sub knows.
  subscriptions = {
    agent-execution = { topic = "task-dispatched", ack_seconds = 600, max_delivery_attempts = 20 }
    dead-letters    = { topic = "dead-letter", ack_seconds = 60, max_delivery_attempts = null }
    decomposition   = { topic = "run-accepted", ack_seconds = 600, max_delivery_attempts = 20 }
    integration     = { topic = "run-finished", ack_seconds = 600, max_delivery_attempts = 20 }
    notification    = { topic = "notification-requested", ack_seconds = 60, max_delivery_attempts = 20 }
    result-handling = { topic = "task-finished", ack_seconds = 60, max_delivery_attempts = 20 }
  }
  backoff = { minimum = "10s", maximum = "600s" }
}

resource "google_pubsub_topic" "topic" {
  for_each = local.topics

  name         = each.value
  kms_key_name = local.key
  # Beyond the subscriptions' own week, for a replay by hand.
  message_retention_duration = each.value == local.dead_letter_topic ? "1209600s" : null

  depends_on = [google_project_service.service, google_kms_crypto_key_iam_member.agent]
}

# Pub/Sub itself forwards what no delivery could handle. What it needs on each subscription is granted beside it.
resource "google_pubsub_topic_iam_member" "forwards" {
  topic  = google_pubsub_topic.topic[local.dead_letter_topic].name
  role   = "roles/pubsub.publisher"
  member = local.agents.pubsub
}

# Whom Pub/Sub shows to a function.
resource "google_service_account" "delivery" {
  account_id   = "${var.prefix}-delivery"
  display_name = "Penstock: Pub/Sub as caller of functions"
  depends_on   = [google_project_service.service]
}
