-- Which object a video shows: asked before any object is deleted.
CREATE INDEX videos_of_object ON videos ((body->>'media_uri'));
