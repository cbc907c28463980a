# Cloud Build: pull requests are checked by an account that can do nothing; the branch is built by one that may push images and act as the
# third, which applies. The third can grant itself anything, as whoever runs Terraform can.
locals {
  build_accounts = var.build == null ? {} : {
    checks = "Penstock: checks pull requests"
    deploy = "Penstock: applies Terraform"
    main   = "Penstock: builds and tests the branch"
  }
  # All that terraform apply changes.
  deploy_roles = var.build == null ? toset([]) : toset(concat(
    [
      "roles/artifactregistry.admin",
      "roles/cloudbuild.builds.editor",
      "roles/cloudfunctions.admin",
      "roles/cloudscheduler.admin",
      "roles/datastore.owner",
      "roles/iam.roleAdmin",
      "roles/iam.serviceAccountAdmin",
      "roles/iam.serviceAccountUser",
      "roles/logging.configWriter",
      "roles/monitoring.admin",
      "roles/pubsub.admin",
      "roles/resourcemanager.projectIamAdmin",
      "roles/run.admin",
      "roles/secretmanager.admin",
      "roles/serviceusage.serviceUsageAdmin",
      "roles/storage.admin",
      "roles/workflows.admin",
    ],
    var.cmek == null ? [] : ["roles/cloudkms.admin"],
    var.load_balancer == null && var.network == null ? [] : ["roles/compute.admin"],
    var.load_balancer == null ? [] : ["roles/iap.admin"],
    var.network == null ? [] : ["roles/dns.admin"],
  ))
  triggers = var.build == null ? {} : {
    checks = { deploys = "no", pull_request = true }
    main   = { deploys = "yes", pull_request = false }
  }
  # What no grant of a project may be; a test compares.
  project_roles = concat(tolist(local.deploy_roles), ["roles/logging.logWriter", "roles/storage.objectViewer"])
}

resource "google_service_account" "pipeline" {
  for_each = local.build_accounts

  account_id   = "${var.prefix}-ci-${each.key}"
  display_name = each.value
  depends_on   = [google_project_service.service]
}

resource "google_project_iam_member" "pipeline_logs" {
  for_each = local.triggers

  project = var.project_id
  role    = "roles/logging.logWriter"
  member  = google_service_account.pipeline[each.key].member
}

resource "google_artifact_registry_repository_iam_member" "main" {
  count = var.build == null ? 0 : 1

  repository = google_artifact_registry_repository.images["penstock"].name
  location   = var.region
  role       = "roles/artifactregistry.writer"
  member     = google_service_account.pipeline["main"].member
}

resource "google_service_account_iam_member" "main_acts_as_deploy" {
  count = var.build == null ? 0 : 1

  service_account_id = google_service_account.pipeline["deploy"].name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = google_service_account.pipeline["main"].member
}

resource "google_project_iam_member" "deploy" {
  for_each = local.deploy_roles

  project = var.project_id
  role    = each.value
  member  = google_service_account.pipeline["deploy"].member
}

resource "google_cloudbuild_trigger" "trigger" {
  for_each = local.triggers

  name            = "${var.prefix}-${each.key}"
  location        = var.region
  filename        = "cloudbuild.yaml"
  service_account = google_service_account.pipeline[each.key].id

  github {
    owner = var.build.owner
    name  = var.build.repository
    dynamic "pull_request" {
      for_each = each.value.pull_request ? [true] : []
      content {
        branch = "^${var.build.branch}$"
        # Nobody from outside makes this project run their code before somebody has looked at it.
        comment_control = "COMMENTS_ENABLED_FOR_EXTERNAL_CONTRIBUTORS_ONLY"
      }
    }
    dynamic "push" {
      for_each = each.value.pull_request ? [] : [true]
      content {
        branch = "^${var.build.branch}$"
      }
    }
  }
  substitutions = {
    _DEPLOY_ACCOUNT = google_service_account.pipeline["deploy"].email
    _DEPLOYS        = each.value.deploys
    _ENVIRONMENT    = var.environment
    _IMAGE          = "${var.region}-docker.pkg.dev/${var.project_id}/penstock/agent-job"
    _REGION         = var.region
  }
}
