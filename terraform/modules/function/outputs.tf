output "account" {
  description = "E-mail address of its service account."
  value       = google_service_account.function.email
}

output "account_id" {
  description = "What stands before the @ of it."
  value       = google_service_account.function.account_id
}

output "caller_names" {
  description = "Under which names of `callers` somebody may call it."
  value       = keys(google_cloud_run_v2_service_iam_member.caller)
}

output "environment" {
  description = "Its environment variables, without secrets."
  value       = var.environment
}

output "ingress" {
  description = "From where it can be reached."
  value       = google_cloudfunctions2_function.function.service_config[0].ingress_settings
}

output "invokers" {
  description = "Who may call it."
  value       = concat([for one in google_cloud_run_v2_service_iam_member.caller : one.member], google_cloud_run_v2_service_iam_member.anybody[*].member)
}

output "member" {
  description = "Its service account in a grant."
  value       = google_service_account.function.member
}

output "roles" {
  description = "What its service account is granted here."
  value = distinct(concat(
    [google_project_iam_member.records.role],
    [for one in google_pubsub_topic_iam_member.function : one.role],
    google_storage_bucket_iam_member.function[*].role,
    google_service_account_iam_member.signs[*].role,
    [for one in google_secret_manager_secret_iam_member.function : one.role],
  ))
}

output "subscription" {
  description = "Its subscription; null for a function that answers HTTP."
  value       = one(google_pubsub_subscription.function[*])
}

output "uri" {
  description = "Cloud Run's address of it, which is also the audience of tokens for it."
  value       = google_cloudfunctions2_function.function.service_config[0].uri
}

output "name" {
  description = "Its name, once it is there."
  value       = google_cloudfunctions2_function.function.name
}
