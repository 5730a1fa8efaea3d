"""The usual Python worker: psycopg2's execute_values, 1,000 rows a statement, a commit every 5,000 rows.

Usage: execute_values.py SOURCE TARGET ROWS; the connection comes from PG*.
Fetches ROWS of SOURCE into memory, as the Python values a worker would hold, then inserts them into TARGET, which has the
same columns. Prints {"rows": ..., "seconds": ...}; only the inserting is timed.
"""
import json
import sys
import time

import psycopg2
from psycopg2.extras import execute_values

PAGE_ROWS = 1_000
COMMIT_ROWS = 5_000


def main() -> None:
    source, target, limit = sys.argv[1], sys.argv[2], int(sys.argv[3])
    connection = psycopg2.connect("")
    cursor = connection.cursor()
    cursor.execute(f"SELECT * FROM {source} LIMIT {limit}")
    rows = cursor.fetchall()
    connection.commit()

    started = time.perf_counter()
    for first in range(0, len(rows), COMMIT_ROWS):
        batch = rows[first : first + COMMIT_ROWS]
        execute_values(cursor, f"INSERT INTO {target} VALUES %s", batch, page_size=PAGE_ROWS)
        connection.commit()
    seconds = time.perf_counter() - started

    cursor.execute(f"SELECT count(*) FROM {target}")
    if cursor.fetchone() != (len(rows),):
        sys.exit(f"{target} does not hold the {len(rows)} rows that were inserted")
    print(json.dumps({"rows": len(rows), "seconds": seconds}))


main()
