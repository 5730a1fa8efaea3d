-- How fraud hides is part of a run's spec. Runs of generator version 2 knew no difficulty: what they are is now called easy, and so are
-- those that a release before this one still enters.
ALTER TABLE etl.run ADD COLUMN fraud_difficulty text NOT NULL DEFAULT 'easy'
  CHECK (fraud_difficulty IN ('easy', 'medium', 'hard'));
