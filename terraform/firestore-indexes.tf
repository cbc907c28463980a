# One field in one collection is indexed by Firestore itself; everything else that is asked for has an index of exactly its fields here.
# The emulator answers without: the tests refuse each query that these would not serve (test/support/firestore-planner.ts).
locals {
  # "array" comes first; the last of "fields" may be sorted downwards.
  indexes = {
    # Whether a dependant may go on, and what still leads to one that is skipped.
    tasks-dependants-settled = { group = "tasks", scope = "COLLECTION", array = "dependants", fields = ["settled"] }
    tasks-dependants-live    = { group = "tasks", scope = "COLLECTION", array = "dependants", fields = ["live"] }
    # Admission.
    tasks-pool  = { group = "tasks", scope = "COLLECTION_GROUP", fields = ["tenant", "pool", "state"] }
    tasks-best  = { group = "tasks", scope = "COLLECTION_GROUP", fields = ["tenant", "pool", "state", "held", "notBefore", "rank"] }
    tasks-agent = { group = "tasks", scope = "COLLECTION_GROUP", fields = ["tenant", "agent", "state"] }
    # The sweep.
    tasks-overdue     = { group = "tasks", scope = "COLLECTION_GROUP", fields = ["state", "leaseUntil"] }
    tasks-due         = { group = "tasks", scope = "COLLECTION_GROUP", fields = ["state", "held", "notBefore"] }
    tasks-waiting     = { group = "tasks", scope = "COLLECTION_GROUP", fields = ["state", "held", "notBefore", "tenant"] }
    runs-checked      = { group = "runs", scope = "COLLECTION_GROUP", fields = ["stage", "checkedAt"] }
    runs-unsettled    = { group = "runs", scope = "COLLECTION_GROUP", fields = ["unsettledOutside", "checkedAt"] }
    effects-overdue   = { group = "effects", scope = "COLLECTION_GROUP", fields = ["state", "claimUntil"] }
    decisions-overdue = { group = "decisions", scope = "COLLECTION_GROUP", fields = ["state", "dueAt"] }
    # Lists, newest first.
    runs-by-stage      = { group = "runs", scope = "COLLECTION", fields = ["stage", "createdAt"], direction = "DESCENDING" }
    decisions-by-state = { group = "decisions", scope = "COLLECTION", fields = ["state", "createdAt"], direction = "DESCENDING" }
    letters-by-state   = { group = "deadLetters", scope = "COLLECTION", fields = ["state", "at"], direction = "DESCENDING" }
    # What a comment on an issue answers.
    decisions-of-issue = { group = "decisions", scope = "COLLECTION", fields = ["issue", "state"] }
    decisions-of-run   = { group = "decisions", scope = "COLLECTION", fields = ["run", "state"] }
    # How many runs a person touched.
    runs-touched = { group = "runs", scope = "COLLECTION", fields = ["stage", "touches"] }
    # What a tenant or a project has spent and set aside this month: a sum reads its field from the index.
    runs-charged            = { group = "runs", scope = "COLLECTION", fields = ["createdAt", "chargedMicroUsd"] }
    runs-charged-of-project = { group = "runs", scope = "COLLECTION", fields = ["project", "createdAt", "chargedMicroUsd"] }
    # Who may still give way to whom.
    runs-undecided            = { group = "runs", scope = "COLLECTION", fields = ["stage", "paused", "createdAt"] }
    runs-undecided-of-project = { group = "runs", scope = "COLLECTION", fields = ["stage", "paused", "project", "createdAt"] }
  }

  # One field over all collections of a group.
  group_fields = {
    runs-deleting = { group = "runs", field = "deletingSince" }
    # Workflows that were not reached.
    runs-undelivered = { group = "runs", field = "undeliveredSince" }
  }
}

resource "google_firestore_index" "index" {
  for_each = local.indexes

  database    = google_firestore_database.default.name
  collection  = each.value.group
  query_scope = each.value.scope

  dynamic "fields" {
    for_each = try([each.value.array], [])
    content {
      field_path   = fields.value
      array_config = "CONTAINS"
    }
  }
  dynamic "fields" {
    for_each = each.value.fields
    content {
      field_path = fields.value
      order      = fields.key == length(each.value.fields) - 1 ? try(each.value.direction, "ASCENDING") : "ASCENDING"
    }
  }
}

# What agents remember, by likeness, within a project (003-39); Firestore takes up to 2048 dimensions. It has to be there before the
# first memory, and costs nothing until then.
locals {
  memory_vectors = { group = "memories", within = "project", field = "embedding", dimension = 768 }
}

resource "google_firestore_index" "vectors" {
  database   = google_firestore_database.default.name
  collection = local.memory_vectors.group

  fields {
    field_path = local.memory_vectors.within
    order      = "ASCENDING"
  }
  fields {
    field_path = local.memory_vectors.field
    vector_config {
      dimension = local.memory_vectors.dimension
      flat {}
    }
  }
}

resource "google_firestore_field" "group" {
  for_each = local.group_fields

  database   = google_firestore_database.default.name
  collection = each.value.group
  field      = each.value.field

  index_config {
    # What Firestore keeps by itself, and would drop with this block.
    indexes {
      order       = "ASCENDING"
      query_scope = "COLLECTION"
    }
    indexes {
      order       = "DESCENDING"
      query_scope = "COLLECTION"
    }
    indexes {
      array_config = "CONTAINS"
      query_scope  = "COLLECTION"
    }
    indexes {
      order       = "ASCENDING"
      query_scope = "COLLECTION_GROUP"
    }
  }
}
