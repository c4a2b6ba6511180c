DROP TABLE alert_journal;
DROP TABLE alerts;
DROP TABLE rule_conditions;
DROP TABLE rules;
