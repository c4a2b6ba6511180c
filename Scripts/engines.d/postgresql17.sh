# PostgreSQL 17 of Debian 13 with TimescaleDB, PostGIS, pgvector, pg_cron and AGE.
#
# AGE stands in no preload list: in every database without the extension it would break DROP TABLE.

postgresql17_about() { echo "PostgreSQL 17 + TimescaleDB, PostGIS, pgvector, pg_cron, AGE (Debian 13): VIGIL_TEST_POSTGRES17"; }
postgresql17_bookworm() { echo postgresql-client-15; }
postgresql17_trixie() {
    echo postgresql-17 postgresql-17-timescaledb postgresql-17-postgis-3 postgresql-17-cron postgresql-17-pgvector postgresql-17-age
}
postgresql17_start() {
    postgresql_server 17 postgresql17 55417 timescaledb,pg_cron,pg_stat_statements
    # pg_cron waits for its database and is started again by the server.
    postgresql_sql 17 55417 "CREATE DATABASE iot;"
    variable VIGIL_TEST_POSTGRES17 "$(postgresql_url 55417)"
    variable VIGIL_TEST_POSTGRES_TLS $RUN/tls
}
