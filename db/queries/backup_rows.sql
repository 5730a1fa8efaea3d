-- Rows of one table and two sums over them that change with any value of any row and not with their order.
-- :source the table, quoted: it may have any name

SELECT count(*) AS rows,
       coalesce(sum(('x' || substr(hash, 1, 16))::bit(64)::bigint::numeric), 0)::text AS a,
       coalesce(sum(('x' || substr(hash, 17, 16))::bit(64)::bigint::numeric), 0)::text AS b
FROM (SELECT md5(whole_row::text) AS hash FROM :source AS whole_row OFFSET 0) hashed
