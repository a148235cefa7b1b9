-- What a developer's database looks like after a while: an older shop, made by hand.

SET client_min_messages = warning;

BEGIN;

CREATE TABLE customers (
    id serial PRIMARY KEY,
    email text NOT NULL UNIQUE,
    name text NOT NULL
);
INSERT INTO customers (email, name) VALUES
    ('me@example.com', 'Me'),
    ('me+2@example.com', 'Me again'),
    ('test@example.com', 'Test Test'),
    ('asdf@example.com', 'asdf');

CREATE TABLE products (
    id serial PRIMARY KEY,
    name text NOT NULL,
    price integer NOT NULL
);
INSERT INTO products (name, price) VALUES ('foo', 1), ('bar', 999999), ('Teapot?', 0);

CREATE TABLE orders (
    id serial PRIMARY KEY,
    customer_id integer NOT NULL REFERENCES customers,
    product_id integer NOT NULL REFERENCES products,
    placed_at timestamp NOT NULL DEFAULT '2025-11-03 17:59'
);
INSERT INTO orders (customer_id, product_id) VALUES (1, 1), (1, 3), (3, 2);

CREATE TABLE experiments (what text);
INSERT INTO experiments VALUES ('only here: from trying out the new checkout');

COMMIT;
