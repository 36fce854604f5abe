// Package pgpeer reserves in PostgreSQL: a row an order in a transaction of its own, or many orders
// in one transaction that is gathered in the process.
package pgpeer

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"
)

// The hot row is updated in place within its page (fillfactor), and each kind of order is one round trip.
const schema = `
CREATE TABLE IF NOT EXISTS stock (
	campaign text, sku text, left_units bigint NOT NULL CHECK (left_units >= 0),
	PRIMARY KEY (campaign, sku)) WITH (fillfactor = 10);
CREATE TABLE IF NOT EXISTS orders (
	id text PRIMARY KEY, campaign text NOT NULL, sku text NOT NULL, buyer text NOT NULL, address text NOT NULL,
	units bigint NOT NULL, deadline timestamptz NOT NULL);

CREATE OR REPLACE FUNCTION place(p_id text, p_campaign text, p_sku text, p_buyer text, p_address text, p_units bigint, p_deadline timestamptz)
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO orders VALUES (p_id, p_campaign, p_sku, p_buyer, p_address, p_units, p_deadline) ON CONFLICT DO NOTHING;
	IF NOT FOUND THEN RETURN true; END IF;
	UPDATE stock SET left_units = left_units - p_units
		WHERE campaign = p_campaign AND sku = p_sku AND left_units >= p_units;
	IF FOUND THEN RETURN true; END IF;
	DELETE FROM orders WHERE id = p_id;
	RETURN false;
END $$;

-- All or nothing, which is the rule until the last units: two statements for any number of orders.
CREATE OR REPLACE FUNCTION place_whole(p_id text[], p_campaign text[], p_sku text[], p_buyer text[], p_address text[], p_units bigint[], p_deadline timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	WITH held AS (
		INSERT INTO orders SELECT *, p_deadline FROM unnest(p_id, p_campaign, p_sku, p_buyer, p_address, p_units) ON CONFLICT DO NOTHING
		RETURNING campaign, sku, units
	)
	UPDATE stock s SET left_units = s.left_units - t.units -- its CHECK refuses what is not there
		FROM (SELECT campaign, sku, sum(units) AS units FROM held GROUP BY campaign, sku) t
		WHERE s.campaign = t.campaign AND s.sku = t.sku;
END $$;

-- One by one in the order given, for the batches that do not fit.
CREATE OR REPLACE FUNCTION place_all(p_id text[], p_campaign text[], p_sku text[], p_buyer text[], p_address text[], p_units bigint[], p_deadline timestamptz)
RETURNS boolean[] LANGUAGE plpgsql AS $$
BEGIN
	PERFORM FROM stock WHERE (campaign, sku) IN (SELECT DISTINCT * FROM unnest(p_campaign, p_sku)) ORDER BY campaign, sku FOR UPDATE;
	WITH fresh AS (
		SELECT a.*, sum(a.units) OVER (PARTITION BY a.campaign, a.sku ORDER BY a.n) AS upto
		FROM unnest(p_id, p_campaign, p_sku, p_buyer, p_address, p_units) WITH ORDINALITY AS a(id, campaign, sku, buyer, address, units, n)
		WHERE NOT EXISTS (SELECT FROM orders o WHERE o.id = a.id)
	), held AS (
		INSERT INTO orders SELECT f.id, f.campaign, f.sku, f.buyer, f.address, f.units, p_deadline
		FROM fresh f JOIN stock s ON s.campaign = f.campaign AND s.sku = f.sku AND f.upto <= s.left_units
		RETURNING campaign, sku, units
	)
	UPDATE stock s SET left_units = s.left_units - t.units
		FROM (SELECT campaign, sku, sum(units) AS units FROM held GROUP BY campaign, sku) t
		WHERE s.campaign = t.campaign AND s.sku = t.sku;
	RETURN (SELECT array_agg(o.id IS NOT NULL ORDER BY a.n)
		FROM unnest(p_id) WITH ORDINALITY AS a(id, n) LEFT JOIN orders o ON o.id = a.id);
END $$;`

// Dial connects with so many connections and makes the schema.
func Dial(ctx context.Context, dsn string, connections int32) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("parse the address of PostgreSQL: %w", err)
	}
	config.MinConns, config.MaxConns = connections, connections
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	if _, err := pool.Exec(ctx, schema); err != nil {
		pool.Close()
		return nil, fmt.Errorf("make the schema: %w", err)
	}
	return pool, nil
}

// SetStock makes units free.
func SetStock(ctx context.Context, pool *pgxpool.Pool, campaign, sku string, units int64) error {
	_, err := pool.Exec(ctx, `INSERT INTO stock VALUES ($1, $2, $3) ON CONFLICT (campaign, sku) DO UPDATE SET left_units = excluded.left_units`, campaign, sku, units)
	return err
}
