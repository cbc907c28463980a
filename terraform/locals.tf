locals {
  labels = merge(var.labels, { app = "penstock", environment = var.environment })
  number = data.google_project.this.number

  # Cloud Run's own address of a service is known before the service is, so that a function can be told api's.
  api_url    = "https://api-${local.number}.${var.region}.run.app"
  domain_url = var.load_balancer == null ? null : "https://${var.load_balancer.domain}"
  public_url = coalesce(var.public_url, local.domain_url, local.api_url)

  # Made by Google with the first use of a service.
  agents = {
    artifactregistry = "serviceAccount:service-${local.number}@gcp-sa-artifactregistry.iam.gserviceaccount.com"
    cloudfunctions   = "serviceAccount:service-${local.number}@gcf-admin-robot.iam.gserviceaccount.com"
    firestore        = "serviceAccount:service-${local.number}@gcp-sa-firestore.iam.gserviceaccount.com"
    iap              = "serviceAccount:service-${local.number}@gcp-sa-iap.iam.gserviceaccount.com"
    pubsub           = "serviceAccount:service-${local.number}@gcp-sa-pubsub.iam.gserviceaccount.com"
    run              = "serviceAccount:service-${local.number}@serverless-robot-prod.iam.gserviceaccount.com"
    secretmanager    = "serviceAccount:service-${local.number}@gcp-sa-secretmanager.iam.gserviceaccount.com"
    workflows        = "serviceAccount:service-${local.number}@gcp-sa-workflows.iam.gserviceaccount.com"
  }
}
