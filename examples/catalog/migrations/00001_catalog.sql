-- +goose Up
-- One schema for SQLite and PostgreSQL: times are Unix milliseconds, names of
-- types are understood by both.
CREATE TABLE items (
    kind         TEXT NOT NULL,
    id           TEXT NOT NULL,
    name         TEXT NOT NULL,
    version      TEXT NOT NULL,
    description  TEXT NOT NULL,
    author       TEXT NOT NULL,
    category     TEXT NOT NULL,
    platform     TEXT NOT NULL,
    search       TEXT NOT NULL,
    downloads    BIGINT NOT NULL,
    votes_sum    BIGINT NOT NULL,
    votes        BIGINT NOT NULL,
    rating       DOUBLE PRECISION NOT NULL,
    published_at BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    sample       BOOLEAN NOT NULL,
    PRIMARY KEY (kind, id)
);
CREATE INDEX items_by_downloads ON items (kind, downloads DESC, id);
CREATE INDEX items_by_rating ON items (kind, rating DESC, votes DESC, id);
CREATE INDEX items_by_date ON items (kind, published_at DESC, id);
CREATE INDEX items_by_author ON items (author, kind);

CREATE TABLE users (
    name          TEXT NOT NULL PRIMARY KEY,
    display_name  TEXT NOT NULL,
    bio           TEXT NOT NULL,
    website       TEXT NOT NULL,
    joined_at     BIGINT NOT NULL,
    last_login_at BIGINT,
    version       BIGINT NOT NULL,
    sample        BOOLEAN NOT NULL
);

-- +goose Down
DROP TABLE users;
DROP TABLE items;
