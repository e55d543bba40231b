"""Limits of the genuine client. Scripts raise them; here the settings `snapshot_bytes` and `snapshot_files` of the service count."""

SNAPSHOT_MAX_FILES = 2000
SNAPSHOT_BYTES_MAX = 300 * 1024 * 1024
SNAPSHOT_MAX_SIZE_BYTES = SNAPSHOT_BYTES_MAX
