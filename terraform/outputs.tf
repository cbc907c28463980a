output "addresses" {
  description = "Cloud Run's address of each function that answers HTTP."
  value       = { for name in ["api", "attempts", "intake", "webhooks"] : name => module.function[name].uri }
}

output "front_ip" {
  description = "What the domain's A record has to name; null without a load balancer."
  value       = one(google_compute_global_address.front[*].address)
}

output "iap_audiences" {
  description = "For identity.iap_audiences, once the load balancer is there."
  value       = { for name in keys(local.guarded) : name => "/projects/${local.number}/global/backendServices/${google_compute_backend_service.front[name].generated_id}" }
}

output "image_repository" {
  description = "Where the image of the agent job is pushed."
  value       = "${var.region}-docker.pkg.dev/${var.project_id}/${google_artifact_registry_repository.images["penstock"].repository_id}/agent-job"
}

output "log_queries" {
  description = "By alert: a day's lines that tell why, in Logs Explorer."
  value       = local.log_links
  # Not shown beside what is wrong with a plan.
  depends_on = [google_monitoring_alert_policy.alert]
}

output "public_url" {
  description = "Where people reach the pages."
  value       = local.public_url
}

output "webhook_url" {
  description = "For the GitHub App's settings."
  value       = var.load_balancer == null ? "${module.function["webhooks"].uri}/webhooks/github" : "${local.public_url}/webhooks/github"
}
