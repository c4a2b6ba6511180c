-- only: sqlite
DROP TABLE geometry_boxes;
-- end
DROP TABLE geometry_features;
