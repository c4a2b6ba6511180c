# PostgreSQL 15 of Debian 12, with PostGIS.

postgresql15_about() { echo "PostgreSQL 15 + PostGIS (Debian 12): VIGIL_TEST_POSTGRES15"; }
postgresql15_bookworm() { echo postgresql-15 postgresql-client-15 postgresql-15-postgis-3 postgresql-15-postgis-3-scripts; }
postgresql15_start() {
    postgresql_server 15 postgresql15 55415 pg_stat_statements
    variable VIGIL_TEST_POSTGRES15 "$(postgresql_url 55415)"
    variable VIGIL_TEST_POSTGRES_TLS $RUN/tls
}
