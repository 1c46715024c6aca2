"""Pictures and sounds of the corpus of formats, where the usual ones do not do; arguments for ffmpeg."""

from base64 import b64encode

from tests.corpus.ffmpeg import PICTURE, sound

CHAPTERS = ";FFMETADATA1\ntitle=Talk\n" + "".join(
    f"[CHAPTER]\nTIMEBASE=1/1\nSTART={second}\nEND={second + 1}\ntitle=Part {second}\n" for second in range(3)
)
SUBTITLES = "1\n00:00:00,500 --> 00:00:02,000\nHello.\n"


def _text(content: str) -> tuple[str, ...]:
    """Return a text as an input."""
    return ("-i", f"data:text/plain;base64,{b64encode(content.encode()).decode()}")


def two_tracks() -> tuple[str, ...]:
    """The second, quieter one is the default."""
    tracks = (*sound(), *sound(gain=0.3), *PICTURE, "-map", "2", "-map", "0", "-map", "1", "-t", "3")
    names = ("-metadata:s:a:0", "language=deu", "-metadata:s:a:1", "language=eng")
    return (*tracks, *names, "-disposition:a:0", "0", "-disposition:a:1", "default")


def late_sound() -> tuple[str, ...]:
    """The sound begins half a second after the picture."""
    return ("-itsoffset", "0.5", *sound(seconds=2.5), *PICTURE, "-map", "1", "-map", "0", "-t", "3")


def cut() -> tuple[str, ...]:
    """The muxer writes an edit list that hides what comes before the cut."""
    whole = (*sound(seconds=4), *PICTURE, "-map", "1", "-map", "0")
    return (*whole, "-ss", "0.98", "-t", "3")


def quiet_start() -> tuple[str, ...]:
    """So that the bit rate of the first frames says nothing of the others."""
    noise = "anoisesrc=sample_rate=44100:amplitude=0.5:duration=18"
    return ("-f", "lavfi", "-i", f"{noise},volume='if(lt(t,2),0.0001,1)':eval=frame")


def uneven_frames() -> tuple[str, ...]:
    """The pictures of a telephone: now more of them, now fewer."""
    picture = (*PICTURE, "-vf", "select='not(mod(n\\,3))+not(mod(n\\,7))'", "-fps_mode", "vfr")
    return (*sound(), *picture, "-map", "1", "-map", "0", "-t", "3")


def short_sound() -> tuple[str, ...]:
    """The picture goes on for two seconds more."""
    return (*sound(), *PICTURE, "-map", "1", "-map", "0", "-t", "5")


def screen_recording() -> tuple[str, ...]:
    """The computer's sound and the microphone's, each in a track of its own, neither with a language."""
    return (*sound(), *sound("mono", gain=0.3), *PICTURE, "-map", "2", "-map", "0", "-map", "1", "-t", "3")


def many_mono() -> tuple[str, ...]:
    """As broadcasters keep channels: one in a track."""
    tracks = [part for gain in (1.0, 0.5, 0.2, 0.1) for part in sound("mono", gain=gain)]
    maps = [part for number in (4, 0, 1, 2, 3) for part in ("-map", str(number))]
    return (*tracks, *PICTURE, *maps, "-t", "3")


def book() -> tuple[str, ...]:
    """A picture that is no video, and chapters."""
    chapters = ("-f", "ffmetadata", *_text(CHAPTERS), "-map_metadata", "2")
    cover = ("-map", "0", "-map", "1", "-disposition:v", "attached_pic")
    return (*sound(), "-t", "0.1", *PICTURE, *chapters, *cover)


def subtitled() -> tuple[str, ...]:
    """There is a text to read along."""
    subtitles = ("-f", "srt", *_text(SUBTITLES))
    return (*sound(), *PICTURE, *subtitles, "-map", "1", "-map", "0", "-map", "2", "-t", "3")
