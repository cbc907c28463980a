# What every test begins with.
project_id  = "acme-penstock"
region      = "europe-west1"
environment = "dev"
agent_image = "europe-west1-docker.pkg.dev/acme-penstock/penstock/agent-job@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
