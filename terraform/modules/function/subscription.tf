resource "google_pubsub_subscription" "function" {
  count = var.subscription == null ? 0 : 1

  name                 = var.name
  topic                = var.subscription.topic
  ack_deadline_seconds = var.subscription.ack_seconds

  # Otherwise Google deletes a subscription that nobody used for 31 days.
  expiration_policy {
    ttl = ""
  }
  push_config {
    # The functions framework reads the topic from the path.
    push_endpoint = "${google_cloudfunctions2_function.function.service_config[0].uri}/${var.subscription.topic}"
    oidc_token {
      service_account_email = var.subscription.account
      audience              = google_cloudfunctions2_function.function.service_config[0].uri
    }
  }
  retry_policy {
    minimum_backoff = var.subscription.minimum
    maximum_backoff = var.subscription.maximum
  }
  dynamic "dead_letter_policy" {
    for_each = var.subscription.max_delivery_attempts[*]
    content {
      dead_letter_topic     = var.subscription.dead_letter_topic
      max_delivery_attempts = dead_letter_policy.value
    }
  }

  # The first message would be refused before.
  depends_on = [google_cloud_run_v2_service_iam_member.caller]
}

# Pub/Sub itself takes a message from here when it forwards it to the dead letters.
resource "google_pubsub_subscription_iam_member" "forwards" {
  count = try(var.subscription.max_delivery_attempts, null) == null ? 0 : 1

  subscription = google_pubsub_subscription.function[0].name
  role         = "roles/pubsub.subscriber"
  member       = var.subscription.forwarder
}
