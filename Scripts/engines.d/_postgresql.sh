# What the PostgreSQL servers of all versions have in common.

# postgresql_as VERSION [NAME=VALUE…] PROGRAM…: as the user postgres, with the programs of that version.
postgresql_as() {
    local version=$1; shift
    if [ "$version" = 17 ]; then in_trixie postgres:postgres "$@"; else as_user postgres "$@"; fi
}

# postgresql_own VERSION PATH…: gives files to the server.
postgresql_own() {
    local version=$1; shift
    if [ "$version" = 17 ]; then chroot "$TRIXIE" chown -R postgres:postgres "$@"; else chown -R postgres:postgres "$@"; fi
}

# The tuning of the reference pages, which is meant for 16 GB, for a quarter of this machine's memory.
postgresql_tuning() {
    local kilobytes share
    kilobytes=$(sed -n 's/^MemTotal: *\([0-9]*\).*/\1/p' /proc/meminfo)
    share() { # megabytes of the pages → megabytes here, never more than the pages say
        local here=$(($1 * (kilobytes / 1024) / 16384 / 4))
        [ $here -lt "$1" ] || here=$1
        [ $here -gt 4 ] || here=4
        echo "${here}MB"
    }
    cat <<X
shared_buffers = $(share 4096)
effective_cache_size = $(share 12288)
maintenance_work_mem = $(share 1024)
work_mem = $(share 256)
max_connections = 200
random_page_cost = 1.1
X
}

# One authority, a certificate that it signed, one that has expired, and one from another authority.
postgresql_certificates() {
    local tls=$RUN/tls name
    [ -d "$tls" ] && return
    mkdir -p "$tls"
    (
        cd "$tls"
        exec >/dev/null 2>&1
        for name in ca other; do
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=Vigil test $name" \
                -keyout $name.key -out $name.crt
        done
        printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\n' >names
        for name in server expired; do
            openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -keyout $name.key -out $name.csr
        done
        openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -extfile names -out server.crt
        openssl x509 -req -in expired.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days -1 -extfile names -out expired.crt
        openssl x509 -req -in server.csr -CA other.crt -CAkey other.key -CAcreateserial -days 30 -extfile names -out stranger.crt
    ) || die "openssl could not make the test certificates"
}

# postgresql_server VERSION NAME PORT LIBRARIES: a new cluster in $RUN/NAME, started and answering.
postgresql_server() {
    local version=$1 name=$2 port=$3 libraries=$4
    local data=$RUN/$name
    postgresql_certificates
    [ -s $RUN/password ] || { head -c 18 /dev/urandom | base64 | tr '+/' 'ab' | tr -d '\n' >$RUN/password; chmod 644 $RUN/password; }
    mkdir -p "$data.tls"; cp $RUN/tls/{ca,server,expired,stranger}.crt $RUN/tls/{server,expired}.key "$data.tls/"; chmod 600 "$data".tls/*.key
    mkdir -m 700 "$data"; postgresql_own "$version" "$data" "$data.tls"
    # An ICU locale on purpose: nothing may depend on the database's own order of text.
    postgresql_as "$version" initdb -D "$data" -U postgres -A scram-sha-256 --pwfile=$RUN/password --no-sync -E UTF8 \
        --locale=C.UTF-8 --locale-provider=icu --icu-locale=en-US >"$RUN/$name.log" 2>&1 ||
        { tail -5 "$RUN/$name.log" >&2; die "initdb $version failed"; }
    {
        cat <<X
listen_addresses = '127.0.0.1'
port = $port
unix_socket_directories = ''
shared_preload_libraries = '$libraries'
timezone = 'UTC'
wal_level = replica
max_wal_senders = 6
max_worker_processes = 32
jit = off
ssl = on
ssl_ca_file = '$data.tls/ca.crt'
ssl_cert_file = '$data.tls/server.crt'
ssl_key_file = '$data.tls/server.key'
X
        postgresql_tuning
        # The data is thrown away, so nothing waits for a disk, unless the disk is what is measured.
        [ -n "${VIGIL_ENGINES_DURABLE:-}" ] || printf 'fsync = off\nfull_page_writes = off\n'
        [ "$version" = 15 ] || [[ $libraries != *cron* ]] || printf 'cron.database_name = iot\ncron.use_background_workers = on\n'
        [[ $libraries != *timescaledb* ]] || printf 'timescaledb.telemetry_level = off\n'
    } >>"$data/postgresql.conf"
    printf 'host replication postgres 127.0.0.1/32 scram-sha-256\n' >>"$data/pg_hba.conf"
    postgresql_launch "$version" "$name" "$port"
}

# postgresql_launch VERSION NAME PORT: starts a cluster that is there.
postgresql_launch() {
    local version=$1 name=$2 port=$3
    postgresql_as "$version" setsid postgres -D "$RUN/$name" >>"$RUN/$name.log" 2>&1 </dev/null &
    wait_until "PostgreSQL $version on port $port" 60 postgresql_as "$version" pg_isready -q -h 127.0.0.1 -p "$port"
}

postgresql_sql() {
    local version=$1 port=$2; shift 2
    printf '%s\n' "$@" | postgresql_as "$version" PGPASSWORD="$(cat $RUN/password)" \
        psql -q -X -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$port" -U postgres -d postgres >>"$RUN/setup.log" 2>&1 ||
        { tail -5 "$RUN/setup.log" >&2; die "the server on port $port refused its setup"; }
}

postgresql_url() { printf 'postgresql://postgres:%s@127.0.0.1:%s/postgres' "$(cat $RUN/password)" "$1"; }

# A primary and a standby that must have a commit before it is acknowledged. Prints their variables.
postgresql_replicas() {
    local version=$1 primary=$2 standby=$3
    local name=replica-$primary
    [ -n "${VIGIL_ENGINES_RUN:-}" ] || die "replicas: only inside 'Scripts/engines run … -- CMD'"
    rm -rf $RUN/"$name"*
    postgresql_server "$version" "$name-a" "$primary" pg_stat_statements
    mkdir -m 700 "$RUN/$name-b"; postgresql_own "$version" "$RUN/$name-b"
    postgresql_as "$version" PGPASSWORD="$(cat $RUN/password)" pg_basebackup -h 127.0.0.1 -p "$primary" -U postgres \
        -D "$RUN/$name-b" -X stream -R -C -S standby --checkpoint=fast --no-sync >>"$RUN/setup.log" 2>&1 ||
        { tail -5 "$RUN/setup.log" >&2; die "pg_basebackup failed"; }
    sed -i "s/^port = .*/port = $standby/" "$RUN/$name-b/postgresql.conf"
    postgresql_launch "$version" "$name-b" "$standby"
    postgresql_sql "$version" "$primary" "ALTER SYSTEM SET synchronous_standby_names = '*';" "SELECT pg_reload_conf();"
    printf 'PRIMARY=%s\nSTANDBY=%s\nPRIMARY_PID=%s\nSTANDBY_PID=%s\n' "$(postgresql_url "$primary")" "$(postgresql_url "$standby")" \
        "$(head -1 "$RUN/$name-a/postmaster.pid")" "$(head -1 "$RUN/$name-b/postmaster.pid")"
}
