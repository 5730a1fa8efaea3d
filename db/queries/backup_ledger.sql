-- How far each run has got.

SELECT r.run_id AS run, r.state, r.chunks_total AS "chunksTotal", r.next_chunk AS "nextChunk", r.months_done AS "monthsDone",
       (SELECT count(*) FROM etl.chunk c WHERE c.run_id = r.run_id AND c.state = 'cleaned') AS "chunksCleaned"
FROM etl.run r
ORDER BY r.first_txn_id
