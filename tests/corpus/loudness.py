"""Sounds of known character, by the filter graphs that make them: ten seconds each."""

SOUNDS = {
    "speech": (
        "anoisesrc=color=pink:seed=1:sample_rate=44100:duration=10,highpass=f=150,lowpass=f=3500,"
        "volume='if(lt(mod(t,3),2.4),0.1+0.9*pow(sin(PI*4*t),2),0.001)':eval=frame"
    ),
    "quiet speech": (
        "anoisesrc=color=pink:seed=2:sample_rate=16000:duration=10,highpass=f=150,lowpass=f=3500,"
        "volume='0.03*if(lt(mod(t,3),2.4),0.1+0.9*pow(sin(PI*4*t),2),0.001)':eval=frame"
    ),
    "music": (
        "aevalsrc="
        "0.1*sin(2*PI*220*t)+0.08*sin(2*PI*277*t)+0.5*exp(-20*mod(t\\,0.5))*sin(2*PI*55*t)"
        "+0.2*exp(-60*mod(t+0.25\\,0.5))*(random(0)-0.5)|"
        "0.1*sin(2*PI*330*t)+0.08*sin(2*PI*440*t)+0.5*exp(-20*mod(t\\,0.5))*sin(2*PI*55*t)"
        "+0.2*exp(-60*mod(t+0.25\\,0.5))*(random(1)-0.5)"
        ":sample_rate=44100:channel_layout=stereo:duration=10"
    ),
    "clipped": "anoisesrc=color=pink:seed=3:sample_rate=48000:duration=10,volume=30dB",
    "silence": "anullsrc=channel_layout=stereo:sample_rate=48000,atrim=duration=10",
}
