-- What people type, without case, accents and punctuation: "Đường phố" is found by "duong pho". In the decomposed form
-- the marks of Latin letters are characters of their own (U+0300 to U+036F); đ is a letter and has none. Punctuation
-- becomes blanks: the parser would take it for parts of links, paths and tags, inside which no word is found.
CREATE FUNCTION search_fold(words text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 200
RETURN lower(replace(replace(regexp_replace(
    regexp_replace(normalize(words, NFKD), '[\u0300-\u036f]+', '', 'g'), '[!-/:-@\[-`{-~]+', ' ', 'g'
), 'đ', 'd'), 'Đ', 'd'));

-- The words of a post. ꙮ is a letter that captions do not have. A hashtag is a word between two of them: the quotes of
-- the JSON become those, so that the array need not be taken apart (measured: a third of the writer's cost). Verdict and
-- label are words too, so that a search for a word among the harmful reads no safe video.
CREATE FUNCTION search_words(body json, verdict text, label text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 1000
RETURN to_tsvector('simple'::regconfig, search_fold(
    coalesce(body->>'caption', '') || coalesce(replace(replace(body->>'hashtags', '"', 'ꙮ'), '_', ''), '')
    || ' ꙮverdict' || verdict || coalesce(' ꙮlabel' || label, '')
));

CREATE FUNCTION search_hashtag(hashtag text) RETURNS tsquery LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN plainto_tsquery('simple'::regconfig, search_fold('ꙮ' || replace(ltrim(hashtag, '# '), '_', '') || 'ꙮ'));

CREATE FUNCTION search_caption(words text) RETURNS tsquery LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN plainto_tsquery('simple'::regconfig, search_fold(words));

CREATE FUNCTION search_label(label text) RETURNS tsquery LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN plainto_tsquery('simple'::regconfig, search_fold('ꙮlabel' || label));

CREATE FUNCTION search_verdict(kind text) RETURNS tsquery LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN plainto_tsquery('simple'::regconfig, search_fold('ꙮverdict' || kind));

CREATE INDEX videos_words ON videos USING gin (search_words(body, verdict, label));

-- Everything a filter or a sort asks of a video, in the order of time: no row of 2 KB is read to leave it out.
DROP INDEX videos_recent;
CREATE INDEX videos_recent ON videos (event_time DESC, video_id DESC)
INCLUDE (verdict, label, score, source, language, model_version);
CREATE INDEX videos_of_author ON videos (author_id, event_time DESC, video_id DESC);
-- The index alone answers only for pages that a vacuum has seen since they were written.
ALTER TABLE videos SET (autovacuum_vacuum_insert_scale_factor = 0.02);

CREATE INDEX sightings_of_video ON sightings (video_id, event_time DESC);
