"""Links → files, by yt-dlp, in a process that can reach nothing but the gate."""
