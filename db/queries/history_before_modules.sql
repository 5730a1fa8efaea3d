-- What was applied, as it was kept while the pipeline was the only module.

SELECT 'etl' AS module, version, name, sha256, applied_at, took_ms, false AS breaking FROM ops.migration ORDER BY version
