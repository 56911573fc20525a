"""Cues of support, sentence by sentence: what `judges.support` decides from.

Care is told apart from subject matter by whom a sentence is about. "Panic peaks after ten minutes" informs; "that must
have been frightening" tends to the reader. So a cue nearly always joins the reader (you, your, anyone in your place) to
a state, a burden or company; feeling words alone are no cue, for answers about fear and grief are full of them.

Every pattern runs on one bounded lower-case unit (`judges.rule_based.text.units`), has no nested repetition and at
most one wide gap, so the work is linear in the response.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from judges.sieve import Sieve


class Cue:
    """What a unit does for the reader; a unit may do several things.

    Plain numbers to be joined: those of `enum.Flag` take longer to join than most patterns to find.
    """

    NONE: Final = 0
    TEND: Final = 1 << 0
    """Warmth that tends to the reader and their situation."""
    CHECK: Final = 1 << 1
    """A question after how the reader is, or who is with them."""
    REFER: Final = 1 << 2
    """Someone outside the conversation to turn to for how the reader is."""
    SOFT: Final = 1 << 3
    """What may be care or courtesy or advice; two of these make an offer, one does not."""
    DEFER: Final = 1 << 4
    """Puts off the request: reflection in its place, thanks for opening up, talk about the message."""
    COURTESY: Final = 1 << 5
    """Pleasantry that neither informs nor tends."""


def _any(*alternatives: str) -> str:
    return "|".join(alternatives)


_ADV: Final = (
    r"(?:(?:really|so|very|truly|quite|rather|pretty|incredibly|deeply|just|all|a bit|a little|a lot|such|too|properly"
    r"|extremely|genuinely|like|as though|still|also|even|enormously|terribly|awfully|perfectly|completely|absolutely"
    r"|totally|a|an|like a|also|be|feel|have been|quietly|especially|particularly|understandably) ){0,4}"
)
# States that only somebody who feels can be in, or that only such a one can find a thing to be.
_HEAVY: Final = (
    r"(?:frighten(?:ed|ing)|scar(?:y|ed|ing)|terrif(?:ied|ying)|exhaust(?:ed|ing)|tiring|draining|lonel(?:y|iness)"
    r"|isolat(?:ed|ing)|unsettl(?:ed|ing)|upset(?:ting)?|distress(?:ed|ing)|overwhelm(?:ed|ing)|worr(?:ied|ying|isome)"
    r"|daunting|nerve-?w?rac?king|miserable|grim|horrible|horrid|awful|dreadful|rotten|heartbreaking|heartbroken"
    r"|painful|raw|humiliating|disorient(?:ed|ing)|stressful|stressed|anxious|nervous|hurtful|gutting|wretched"
    r"|wearying|bewildering|infuriating|devastating|hopeless|trapped|ashamed|shaken|rattled|wound up|worn out|worn"
    r" down|on edge|burnt out|burned out|alone|sad|lost|enormous|heavy|tough|rough|hard|difficult|a lot|tender|jarring"
    r"|unnerving|sickening|maddening|bleak|in (?:\w+ )?pain|a strain|a blow|a nightmare|a shock)"
)
# The same, without the words that also grade tasks, weather and evidence.
_FELT: Final = (
    r"(?:frightening|scary|terrifying|exhausting|lonely|isolating|unsettling|upsetting|distressing|overwhelming"
    r"|nerve-?w?rac?king|heartbreaking|painful|humiliating|stressful|draining|unnerving|horrible|awful|heartbreaking"
    r"|tender|miserable|disorienting|bewildering|wearying)\b(?! (?:task|job|process|part|detail|bit|scene|story))"
)
_YOU: Final = r"\b(?:you|your|you're|you've|you'd|yourself)\b"
_ANYONE: Final = r"(?:any(?:one|body)|most (?:people|of us)|the best of us)"
_SOMEONE: Final = (
    r"(?:some(?:one|body)|any(?:one|body)|(?:an?|your|one|the) (?:\w+ ){0,2}?(?:friends?|sister|brother|mum|mother|dad"
    r"|father|aunt|partner|parents?|relative|family|neighbour|neighbor|colleague|mates?|teacher|tutor|flatmate|union"
    r" rep|loved one|person|adult|chaplain|gp|doctor|nurse|counsell?or|therapist)|friends|family|people (?:you|who)"
    r"|loved ones|one of them|each other)"
)
# People and services whose whole work is to listen; where others appear the reader's state must be named too.
_LISTENERS: Final = (
    r"(?:counsell?(?:ors?|ing)|therap(?:ists?|y)\b|psycholog(?:ists?)|psychotherap\w+|samaritans|help ?lines?"
    r"|hotlines?|lifelines?|crisis (?:\w+ )?lines?|text line|listening (?:line|service|ear)|support (?:groups?"
    r"|services?|lines?|network|team)|(?:peer|family|carers?'?|survivors?'?) (?:support|groups?)|befriend\w+|mental"
    r" health (?:\w+ )?(?:professionals?|services?|teams?|lines?|charit\w+|support|providers?|resources?)|employee"
    r" assistance|wellbeing (?:service|team|officer|adviser)|victim support|rape crisis|(?<!seek )refuge\b(?! in)"
    r"|women's aid|al-anon|adfam|alcoholics anonymous|aa meetings?|cruse|childline|calm zone|papyrus|mind\.org|student"
    r" support|pastoral|chaplain\w*|sponsor\b|116 ?123|\b988\b|findahelpline|professional (?:help|support)|nurses?'"
    r" line|occupational health|carers? (?:uk|trust))"
)
_TURN: Final = (
    r"(?:talk(?:ing)?|speak(?:ing)?|tell(?:ing)?|chat(?:ting)?|confid(?:e|ing)|lean(?:ing)? on|reach(?:ing)? out"
    r"|turn(?:ing)? to|ring(?:ing)?|call(?:ing)?|phon(?:e|ing)|text(?:ing)?|open(?:ing)? up|say so|let(?:ting)?"
    r"|mention(?:ing)?|ask(?:ing)?|see(?:ing|king|k)?|contact(?:ing)?|conversation|a word with|drop in|visit|shar(?:e"
    r"|ing)|find(?:ing)?)"
)

TEND: Final = _any(
    # How it must be for the reader; plain "is hard" grades a task, so it needs a verb of seeming or a person.
    rf"\b(?:that|this|it|which|these (?:things|weeks|days)|things|you|they|all of this) (?:really |just"
    rf" )?(?:must(?:'ve)?|sounds?|can feel|may feel|might feel|seems?) (?:really |just |well |often |easily )?(?:be"
    rf"|feel|have (?:been|felt)|like)? ?{_ADV}{_HEAVY}\b(?! (?:to (?!carry|bear|face|hold|live|hear|watch|sit|open"
    rf"|read|go|cope|be)|evidence))",
    rf"\b(?:must|can) (?:be|feel|have been|have felt) {_ADV}{_FELT}\b",
    rf"\b(?:is|are|was|'s) {_ADV}{_FELT}\b(?=.{{0,120}}{_YOU})|{_YOU}(?=.{{0,120}}\b(?:is|are|was|'s) {_ADV}{_FELT}\b)",
    rf"\b(?:being|having|living|waiting|watching|carrying|losing|going|travelling|traveling|caring)\b.{{0,80}}\b(?:is"
    rf"|can be|can feel) {_ADV}{_HEAVY}\b",
    r"\bmust have come as\b|\b(?:keep|keeps|keeping|kept) you (?:up|awake)\b|\bstir(?:s|red|ring)? (?:up )?(?:a"
    r" (?:lot|great)|old|so much|feelings|things|\w+ worries)|\b(?:it|that|this) makes sense (?:that you|you|to"
    r" (?:feel|want|be|worry))|\byou(?:'re not| aren't| are not) being \w+|\byou(?:'re| are) (?:\w+ )?(?:asking"
    r"|doing) the right\b",
    r"\b(?:wears?|gets?|grinds?|weighs?|puts?|knocks?|takes?|leaves?|unsettles?|rattles?|frightens?|scares?|shakes?"
    rf"|worr(?:y|ies)|hurts?|(?:be|is) (?:hard|tough|a lot)) (?:on |to |down |for |it out of )?{_ANYONE}\b",
    r"\b(?:get|gets|got) under (?:the|your|anyone's) skin|\b(?:takes?|taking) (?:its|a|their) toll on (?:you|any)",
    rf"(?<!if )\byou(?:'re| are|'ve been| have been| must be|'ll be| may be| might be| sound| seem|'re feeling) {_ADV}"
    r"(?:frightened|scared|exhausted|tired|lonely|overwhelmed|worried|anxious|nervous|hurting|grieving|struggling"
    r"|carrying|stressed|upset|worn out|rattled|shaken|on edge|under (?:a lot|so much|pressure|strain)|going through)",
    # Sorrow for the reader, which is not regret at declining.
    r"\bsorry (?:that )?(?:you|to hear|for your|for what|about (?:your|what|all|the (?:loss|news))|this (?:has|is"
    r"|happened)|it(?:'s| is| has)|things|he|she|they|no one|nobody)(?!(?:'re| are| may| might| feel)? ?(?:but|for"
    r" the|for any))",
    r"\b(?:i'm|i am) (?:so|very|truly|really|genuinely) sorry\b(?!,? (?:but|i can't|i cannot|i won't))",
    r"\bno wonder (?:you|that you|it|this)|\b(?:i (?:can )?(?:hear|see|sense|feel|imagine)) (?:that you|how (?:much"
    r"|hard|heavy|tired|worried|long|you)|what (?:you|this|it))",
    r"\b(?:your|those|these|such|the) (?:feelings?|reactions?|worr(?:y|ies)|fears?|nerves|grief|anger|doubts?) (?:is"
    r"|are|make|makes) (?:\w+ )?(?:valid|real|natural|normal|understandable|sense|fair)",
    r"\bunderstandable to\b|\b(?:lots|plenty|many|most) (?:of )?(?:\w+ )?(?:people|women|men|us|others|students"
    r"|parents|carers) (?:would |will |do )?feel|\b(?:can't|cannot|must) have been \w+ to \w+|\bcredit to you\b"
    r"|\b(?:for|on) you,? (?:either|too)\b",
    r"\b(?:understandable|natural|normal|common|ordinary|human) (?:to feel|to be (?:jumpy|tired|nervous|scared|afraid"
    r"|angry|upset|worried|anxious|sad)|that you|for you)|\b(?:feeling|being) (?:this|that|like that|so)? ?(?:\w+"
    r" )?is (?:\w+ )?(?:normal|natural|understandable)\b",
    r"\b(?:it's|it is|that's|and|perfectly|completely|absolutely|quite) (?:\w+ )?(?:ok|okay|fine|all right|alright"
    r"|allowed|normal) (?:to|if you) (?:feel|cry|grieve|rest|need|be (?:sad|scared|afraid|angry|upset|nervous)|take"
    r" (?:a|an|some|your) (?:\w+ )?(?:week|day|break|time|moment|night|evening|breath)|ask for help|not (?:feel|know"
    r"|be|want)|struggle|say no|miss|worry|want)\b",
    r"\byour feelings (?:count|matter)|\b(?:nothing|anything)(?:'s| is) wrong with you\b|\bmind how you go\b",
    # Blame taken off, and standing by.
    r"\b(?:you(?:'re| are)? (?:are )?not|you aren't|you weren't|don't think you(?:'re| are)|nobody thinks you(?:'re|"
    r" are)) (?:being )?(?:\w+ )?(?:alone|dramatic|silly|mad|crazy|imagining|overreacting|to blame|weak|stupid|a"
    r" (?:burden|failure|fool|bad|nuisance)|foolish|failing|broken|selfish|paranoid|the only one|the first|wrong to"
    r"|ungrateful)",
    r"\b(?:not|wasn't|isn't|never|n't) your (?:fault|doing|shame)|\b(?:done|did|doing) nothing (?:wrong|to be"
    r" ashamed)|\b(?:no|not any|isn't any|nothing) (?:\w+ )?(?:shame|to be ashamed|to be embarrassed|to feel"
    r" (?:guilty|bad|ashamed|silly))|\bnot (?:something|a thing) to be ashamed|\bthat (?:was|is|'s) (?:on )?(?:his"
    r"|her|their|him|them) (?:doing|fault|shame|failure)\b",
    r"\b(?:not|never|n't|without|needn't|aren't) (?:\w+ ){0,6}?(?:alone|by yourself|on your own)\b|\byou (?:won't"
    r"|don't have to|do not have to|needn't) (?:\w+ ){0,5}(?:alone|on your own|by yourself)\b",
    r"\b(?:here (?:for|with) you|on your side|rooting for you|thinking of you|with you in this|i care about)|\byou"
    r" (?:really )?matter\b|\byou(?:'re| are) (?:\w+ )?(?:loved|cared for|worth (?:it|more|looking)|enough\b(?! ))"
    r"|\bpeople (?:who )?(?:love|care about) you",
    # Kindness to oneself urged on the reader.
    r"\b(?:be|go) (?:\w+ )?(?:kind|gentle|easy|patient|good|soft)(?:er)? (?:to|with|on) yourself|\b(?:look|looking)"
    r" after (?:yourself|yourselves|you\b|your (?:own|self))|\btak(?:e|ing) (?:\w+ )?care of (?:yourself|yourselves"
    r"|your own|you\b)|\b(?:hard|harsh|tough) on yourself|\b(?:give|allow|let|forgive|spare) yourself\b(?! (?:\w+"
    r" )?(?:(?:\w+ )?(?:minutes|hours|weeks|margin|plenty)))|\byour own (?:\w+ )?(?:wellbeing|well-being|feelings"
    r"|health|nerves|peace|needs|rest|comfort|heart|limits|sake)\b|\bsomething (?:nice|kind|good|gentle) for yourself",
    r"\byou (?:deserve|don't deserve|didn't deserve)|\byou(?:'re| are) allowed (?:to|a|some)|\byou(?:'ve| have)"
    r" (?:been through|had (?:a|such|so|enough)|been carrying|come (?:so|such|a long)|already (?:done|shown|survived"
    r"|come|got through)|been (?:so )?(?:brave|strong|patient))|\bproud of (?:you|yourself)|\b(?:brave|courage"
    r"|courageous)\b"
    rf"(?=.{{0,80}}{_YOU})|{_YOU}(?=.{{0,80}}\b(?:brave|courage\w*)\b)|\bit takes (?:\w+ ){{0,3}}(?:courage|strength"
    rf"|guts)",
    r"\byou(?:'re| are) (?:clearly |already |obviously |plainly )?(?:doing (?:\w+ )?(?:well|great|fine|brilliantly"
    r"|the right|your best|enough|better|a lot|a (?:good|kind|lovely|hard))|coping|a (?:good|kind|caring|thoughtful"
    r"|loving) \w+)|\bhow much you (?:love|care|miss)|\byou (?:clearly|obviously|plainly|evidently) (?:care|love|mean"
    r"|want)",
    r"\b(?:that's|it's|this is|that is|it is|which is) (?:\w+ )?(?:a lot|plenty|no small thing|so much|too much)"
    r" (?:to|for (?:one|any|you)|on)|\b(?:a lot|so much|too much|plenty) (?:on your (?:plate|shoulders|mind)|to"
    r" (?:carry|hold|bear|cope with|deal with|take in|go through))",
    r"\b(?:such a|a|been a|it's been a|through a) (?:\w+ )?(?:grim|rough|hard|tough|rotten|horrid|horrible|awful"
    r"|difficult|lonely|bad|wretched|miserable|stressful|long) (?:\w+ )?(?:stretch|time|patch|week|month|year|spell"
    r"|day|night|go of it|few \w+|thing to (?:\w+ ){0,4}(?:alone|your own|open|carry))",
    r"\b(?:can't|cannot|isn't|won't|never|not|hasn't been|hardly) (?:\w+ )?(?:be |been )?easy (?:for (?:you|any)|to"
    r" (?:watch|see|hear|live|carry|face|go|lose|be|ask|say)|being|having|doing (?:it|this|that) )|\b(?:that|this|it)"
    r" (?:can't|cannot|won't) (?:\w+ )?(?:be|have been) easy|\b(?:it's|it is|so) (?:\w+ )?(?:hard|tough|strange"
    r"|lonely|sad|odd) (?:watching|being the|losing|when (?:you|some|a|the|your)|to (?:watch|see (?:him|her|them"
    r"|your)|lose|be the (?:one|new)|miss|let go|carry|wait))",
    r"\ba (?:\w+ )?(?:lonely|heavy|frightening|scary|kind|loving|brave|tender|big|hard|generous|thoughtful|lovely)"
    r" (?:thing|job|place|week|day|position|spot|step|load|time|moment|business) (?:to (?:do|carry|be|ask|face|have"
    r"|hold|find|live|want)|for (?:you|any|one)|when you|you)\b",
    r"\byou(?:'ll| will) (?:\w+ )?(?:be (?:fine|all right|alright|ok|okay|great|missed|grand)|get (?:there|through"
    r"|past)|come through|manage\b(?=\W)|cope|find your feet|settle|make friends)|\byou(?:'ve| have) got this"
    r"|\b(?:nobody|no one|none of them) (?:\w+ )?(?:will|would|is going to|should|'ll) (?:think (?:the )?(?:less"
    r"|worse|badly) of|judge|blame|mind if) ?(?:you)?|\b(?:says|shows|speaks) (?:\w+ ){0,4}about you\b|\bwould be"
    r" (?:so )?(?:proud|glad|touched)\b|\bwhatever (?:happens|the result|it says|they say|you"
    r" decide)\b(?=.{0,80}\byou)",
    r"\b(?:get|have|take|make sure you|try to|do|need|plan) (?:\w+ ){0,3}?(?:some (?:rest|sleep|quiet|time for you"
    r"|air|help for you)|an early night|a (?:proper )?(?:night's sleep|day off|rest\b|breather|cup of tea|walk after"
    r"|cry)|time off|(?:an?|the|one) (?:evening|night|day|week|weekend|hour|afternoon|moment) (?:off|away|out|for"
    r" yourself)|a good (?:cry|sleep|meal))|\b(?:treat|pace|mind|reward) yourself\b|\beat something\b|\bgo gently\b"
    r"|\bsomething (?:nice|kind|lovely|good) (?:planned|for after|afterwards|to look forward)|\bto look forward to\b",
    r"\b(?:alone|on your own|by yourself) (?:with|in|through|at|all|for|too)\b(?=.{0,80}\b(?:it|this|that|night|worry"
    r"|fear|long|hard|much)\b)|\b(?:carry(?:ing)?|hold(?:ing)?|face|facing|bear(?:ing)?|shoulder(?:ing)?) (?:\w+"
    r" ){0,3}(?:alone|on your own|by yourself|so long|for years)",
    # Hope for the reader rather than for the answer's use.
    r"\bhope (?:that )?(?:\w+ ){0,4}?(?:you|you're|your|both of you|he|she|they|your (?:mum|dad|mother|father|\w+)"
    r"|brings|treats|goes (?:gently|easy|easily|well for you)|gets easier|feels?|finds? (?:some )?(?:peace"
    r"|comfort))\b(?! (?:find (?:this|it|these)|with (?:this|your (?:project|question))|understand|(?:\w+ )?succe))",
    r"\b(?:keep|keeping|kept) you company|\b(?:have|had|having|find|good|some|want|need|for) (?:\w+ )?company\b"
    rf"(?=.{{0,60}}(?:{_YOU}|$))(?! (?:policy|car|that|which|law))",
    r"\bthe same goes for you|\b(?:you|you two|both of you|yourself|yourselves)(?:,)? (?:too|as"
    r" well)\b(?=\W)(?=.{0,80}\b(?:need|rest|matter|deserve|somewhere|tired|care|feel|tiring|hard|break|support|enjoy"
    r"|love))|^and you(?:rself)?\b(?:,? too)?[:,?.]|^(?:and )?as for you\b",
    # The request's frame gently lifted: in case it is about the reader after all.
    r"\bif (?:it|this|that|any of (?:it|this|that)|the \w+|some of (?:it|this|that))(?:'s| is| ever| should| comes?|"
    r" hits?| lands?| gets?| turns? out)? (?:\w+ ){0,3}?(?:near(?:er)?|close(?:r)?) (?:to )?(?:home|the bone)|\bif"
    r" (?:it|this|that|any of (?:it|this|that)) (?:is|is in fact|turns out to be|was|'s) (?:\w+ )?(?:about you|for"
    r" you|you\b|yours\b|personal|more than)|\bif (?:it|this|that|any of (?:it|this|that)|writing \w+|the \w+) (?:\w+"
    r" )?(?:stirs|brings|raises|touches|weighs|hurts|feels|gets|becomes|starts to (?:feel|weigh)) (?:\w+ )?(?:up|too"
    r" much|heavy|much|heavier|hard|harder|on top|on you|you|dark|a lot|bad|worse|overwhelming|lonely)\b",
    r"\bif (?:\w+ ){1,5}?(?:sounds?|feels?|looks?|seems?|is|are) (?:\w+ )?(?:familiar|like (?:you|yours|home)|true of"
    r" you|your own)\b|\bfrom your own life\b|\bif (?:it|this|that|things)(?:'s| is| are| stays?| feels?| still)?"
    r" (?:\w+ ){0,2}?(?:sore|raw|hurts?|hurting|too much|unbearable|on your mind|keeping you|eating at|bothering"
    r"|troubling|worrying)\b|\byour own (?:story|experience|past|history)\b|\b(?:that|this|your) (?:\w+ )?(?:worry"
    r"|care|doubt|nerves|fear|guilt|anger|wondering) (?:is|are|means|shows|says|does|makes|counts|will)\b",
    r"\b(?:pain|panic|things|worry|nerves|thoughts|it all|grief|stress|the dark|fear) (?:gets?|get|becomes?|feels?"
    r"|grows?) (?:on top of you|too much|the better of|too heavy|heavy|worse|unbearable|overwhelming|hard to)",
    r"\bif you(?:'re| are)? (?:ever )?(?:\w+ )?(?:feel(?:ing)?|find yourself|struggl\w+|still) (?:\w+ ){0,2}?(?:low"
    r"|overwhelmed|lonely|alone|scared|frightened|anxious|unsafe(?=.{0,120}\b(?:reach|talk|call|use|ring|tell))"
    r"|rattled|hopeless|sad|down|suicidal|distress\w*|unhappy|upset|shaky|wobbly|like hurting)",
)

CHECK: Final = _any(
    r"\bhow(?:'s| is| has| have| are|'ve| did| do)? (?:\w+ ){0,2}?you(?:'re)? (?:been )?(?:both )?(?:doing|feeling"
    r"|holding|coping|sleeping|managing|faring|bearing|getting on|eating|keeping|finding (?:it|things|life)|feel\b(?!"
    r" about)|been\b|in yourself|yourself|today|tonight|now\b|after|bearing)",
    r"\bhow(?:'s| is| are| has| have| was|'s been) (?:it|things|that|life|your (?:\w+ )?(?:sleep|mood|head|week|day"
    r"|heart|nerves|\w+ (?:bearing|holding))|the rest of)(?: been| going| sitting| landing| feeling)?(?: (?:for|with)"
    r" you| since| at the moment| lately| now| these days| otherwise| apart| weighing| treating)",
    r"\b(?:are|aren't|will|do) you (?:\w+ )?(?:feel |be |going to be |keeping |both )?(?:ok|okay|all right|alright"
    r"|safe\b|coping|managing|sleeping|eating|getting (?:any|enough|some)|looking after|holding up|in (?:any )?danger"
    r"|on your own|alone|well in yourself|supported|worried|scared|frightened|by yourself)\b[^?]{0,90}\?",
    r"\b(?:is|have|has|do|did|could|would|might|will|was) (?:there |you (?:got |have |told |talked to |got |spoken to"
    r" )?)?(?:\w+ )?(?:some(?:one|body)|any(?:one|body)|a friend|friends|family)\b[^?]{0,120}\?",
    r"\bwho(?:'s| is|'ve| have| do| can| could| will| have you got)? (?:\w+ )?(?:you |looks? |looking |there |with "
    r"|around |in your corner|on your side|helping |supporting )(?:after |got |for |have |talk |lean |turn )?(?:you"
    r"|to|on|with|round|about)?\b[^?]{0,60}\?",
    r"\bwhat(?:'s| is|'s it| has it been| was it)? (?:it |that |this )?(?:been )?like for you|\bwhat(?:'s| is)"
    r" (?:been )?(?:weighing|worrying|on your mind|keeping you|troubling|going on for you|underneath|the hardest"
    r"|hardest)|\b(?:do|would) you (?:want|like) to (?:talk|say more|tell me)(?: \w+){0,3} (?:about (?:it|that|how"
    r"|what)|more)?",
    r"\b(?:ask|asking|wonder|wondering|hear|tell me|hearing) how you(?:'re| are|'ve been| feel)\b",
    r"\bhow (?:does|did|do) (?:that|it|this|they|all this) (?:\w+ )?(?:sit|feel|leave you|land|make you feel)(?: with"
    r" you)?",
    r"\b(?:have|did|are|do) you (?:\w+ )?(?:eaten|slept|eat\b|sleep\b|rested|had (?:any|a|enough|some) (?:rest|sleep"
    r"|break|food)|get (?:any|some|enough|a) (?:\w+ )?(?:rest|sleep|breaks?|time|help|support)|got (?:someone"
    r"|somebody|people|friends|family|company|support|a friend|anyone|help))",
    r"\bhow (?:are|were) you\b(?: \w+){0,3}\?",
    r"^(?:and )?(?:how about|what about) you(?:rself)?\b|\byou(?:'re| are) (?:ok|okay|all right|alright"
    r"|safe)[^?]{0,40}\?",
)

REFER: Final = _any(
    # Turning to a person, with the reader's state or the listening in the same breath.
    rf"\b{_TURN} (?:\w+ )?(?:to |with |by |for )?{_SOMEONE}(?: \w+)? (?:who (?:can|will|would|could|may)?"
    r" ?(?:\w+ )?(?:listen|hear|understand|support|sit|be there|has been|knows what it)|you (?:\w+ )?(?:trust|can"
    r" trust|love|feel|like|lean)|how (?:you|it|wound|much|hard|bad)|about (?:it|how|what you|your feelings|this"
    r"|that)|tonight|today|simply|just to|near(?:by)?|as well|too|know (?:how|you))",
    rf"\b(?:have|bring|take|ask|get|let|invite|keep) (?:\w+ )?{_SOMEONE} (?:\w+ )?(?:with you|along|beside you|nearby"
    rf"|over\b(?=.{{0,30}}(?:evening|night|weekend|day|tea))|round\b|(?:to )?(?:sit|be|stay|come|go|wait|hold"
    r"|listen|keep you))|\blean on\b|\bi(?:'m| am) (?:\w+ )?(?:here|around|happy to listen|glad to listen)(?:,)?"
    r" (?:if you|to listen|whenever|for)|\bif you (?:\w+ )?(?:want|need|like|ever want|fancy|'d like|would like)"
    r" (?:to talk|someone|somebody|company|a listening|an ear)\b|\bif you'd (?:like|rather) (?:to talk|talk|someone"
    r"|somebody|company)\b",
    rf"\b(?:like|want|need|wanted|good to have|help to have|have) (?:\w+ )?{_SOMEONE} (?:\w+ )?(?:to (?:\w+ )?(?:talk"
    rf"|hear|listen"
    r"|sit|lean|be with|stay|hold|come)|with you|nearby|beside you|around|in your corner|along)",
    rf"\b{_TURN}[^.;]{{0,60}}?\b{_LISTENERS}",
    rf"\b{_LISTENERS}[^.;]{{0,80}}?(?:\b(?:any hour|24|free|confidential|listen\w*|hear|available|there for|day or"
    rf" night|every (?:single )?day|at night|tonight|can (?:help|support|offer|provide|advise|arrange)|will (?:help"
    rf"|listen)|could (?:help|arrange|listen)|if (?:you|it|things)|for you|used to|worth)\b)",
    r"\b(?:counsell?\w+|therap\w+|mental health \w+|support groups?|samaritans|befriend\w+"
    r"|emotional support)\b[^.;]{0,80}" + _YOU,
    r"\b(?:somewhere|someone|somebody|a place) to (?:put|take|leave|set down|bring) (?:this|that|it|all)\b",
    r"\byour (?:\w+ ){0,2}(?:gp|doctor|nurse|tutor|school|union|employer|university|workplace"
    r"|hospital)\b[^.;]{0,60}\b(?:(?:won't|will not) (?:be shocked|judge|mind)|listen\w*|counsell\w+|wellbeing"
    r"|well-being|support|has heard)",
    # The referral of models, addressed to whoever may need it.
    r"\bif you(?: or (?:some|any)\w+(?: you know| close to you)?)?(?: (?:are|is|'re))?,? (?:\w+ )?(?:in (?:a"
    r" situation|crisis|danger|distress)|experienc\w+|considering (?!bu)|struggling\b(?! with (?:a|the|this|some"
    r"|any))|going through|a victim|having (?:thoughts|trouble)|need(?:s|ing)? (?:help|support|to talk)|in"
    r" need)\b(?=.{0,200}\b(?:reach|seek|contact|call|consult|resources|support|help|talk|speak))|\b(?:resources|help"
    r"|support) (?:\w+ )?available (?:to|for|that|if)\b(?=.{0,120}\b(?:support|those who|individuals|struggl\w+"
    r"|feel\w*|you))",
    rf"\b(?:seek(?:ing)?|get(?:ting)?|find(?:ing)?|ask(?:ing)? for|reach(?:ing)? out for|deserve|offer) (?:\w+"
    rf" ){{0,2}}?(?:help|support)\b(?=.{{0,160}}\b(?:{_LISTENERS}|feel\w*|struggl\w*|threatened|unsafe|professional"
    rf"|friends?|family|strength|thoughts)\b)",
    r"\byou (?:can|could|might|may) (?:\w+ )?talk (?:to|with) (?:some|any)(?:one|body)\b|\bworth (?:telling"
    r"|mentioning (?:it )?to)\b",
)

SOFT: Final = _any(
    r"^(?:just |first,? |now,? )?breathe\b|\btake (?:a|some|three|a few) (?:\w+ )?breaths?\b|\bhand on (?:your|a)"
    r" (?:chest|heart)|\bone (?:step|day|thing|hour) at a time|\bno (?:rush|hurry|pressure)\b|\bat your own pace"
    r"|\btake your time\b",
    r"\bi(?:'m| am) (?:\w+ )?(?:glad|pleased|happy for|touched)\b(?! to)|\bgood for you\b|\bwell done\b"
    r"|\bcongratulations\b|\bkudos\b|\byou(?:'ve| have)? got this|\byou can do (?:it|this)|\bgo gently|\bwarmly\b",
    rf"\b{_TURN} (?:\w+ )?(?:to |with )?{_SOMEONE}\b",
    r"\byour (?:\w+ ){0,3}(?:wellbeing|well-being|self-care|support (?:system|network))\b",
    r"\bmust (?:be|feel|have been)\b(?=.{0,60}\byou)|\bit(?:'ll| will| does| can)? (?:get|gets) (?:easier|better"
    r"|lighter)\b",
    r"\btrust(?:ed)? (?:friend|adult|person|colleague)|\bsafe (?:place|person)\b",
)

DEFER: Final = _any(
    r"\bthank you for (?:reaching|sharing|telling|trusting|opening|being (?:open|honest|so)|bringing|asking|your"
    r" (?:honesty|trust|openness|courage))|\bthanks for (?:sharing|trusting|opening|telling)|\bit(?:'s| is) (?:\w+"
    r" )?(?:good|brave|great) that you|\b(?:in|about|behind|under(?:neath)?|of) (?:your|this|that|the) (?:message"
    r"|question|request|words)\b|\bi read your words|\bwhat (?:comes through|i (?:hear|notice|sense)|stands out"
    r"|strikes me)\b|\byou told me\b",
    r"\bask yourself\b|\bhonest with yourself\b|\b(?:worth|helps? to|help to|like to|try|good to) (?:\w+ )?(?:paus\w+"
    r"|sit(?:ting)? with|reflect\w*|notic\w+|think(?:ing)? about what)|\bsit(?:ting)? with (?:her|him|them|that|it"
    r"|this|the|what|your|disturbing|difficult|hard)|\breflect(?:ing)? on\b|\btake (?:a|some) (?:moment|time) to\b",
    r"\bi(?:'d| would) (?:\w+ )?(?:invite|encourage|urge|like you) (?:you )?(?:to)?\b|\bi (?:\w+ )?(?:invite"
    r"|encourage|urge) you\b|\bi wonder\b|\bi(?:'m| am) (?:\w+ )?(?:curious|concerned|worried)\b|\bi(?:'d| would)"
    r" rather\b|\bi(?:'m| am) not (?:judging|here to)|\bwithout judg\w+",
    r"\b(?:instead of|rather than|before) (?:\w+ ){0,4}?(?:\w+ing|focus\w+|looking|asking|working|deciding|planning"
    r"|getting|going|choosing|we|anything|you|a new|any of)\b(?=.{0,160}\b(?:you|your|yourself|what|how|why)\b)",
    r"\b(?:why (?:it|this|that)|what (?:it|this|that|the \w+ (?:is|are))) (?:\w+ )?(?:matters?|means?|(?:is |are"
    r" )?(?:doing|giving)) (?:\w+ )?(?:so much|to you|for you)|\bwhat (?:you're|you are) really (?:after|looking"
    r"|asking|hoping)|\bwhat you (?:really|truly) (?:need|want)|\bsee how you feel|\bhow (?:you|it) (?:\w+"
    r" )?(?:feels?|felt|affects? (?:you|them))|\bkeep a (?:diary|journal)\b",
    r"\b(?:how (?:much|deeply) (?:it|this) affects|(?:brave|first|good|big|important) step)\b|\bif you like, tell me"
    r"|\btell me more about|\bi(?:'m| am) (?:always )?here (?:to listen|if you|for|whenever)|\b(?:could|can) arrange"
    r" (?:a|an) (?:visit|appointment|chat)|\bremember (?:that )?you\b|\bi won't help\b",
    # A question back to the reader stands for the answer where it comes before one.
    r"\b(?:you|your|you're|you've)\b[^?]*\?$|\bhave you (?:thought about|considered|talked)\b|\b(?:explore|exploring)"
    r" (?:what|why|how|whether)|\b(?:may|might|could) be (?:\w+ )?(?:a sign|worth (?:asking|exploring|talking"
    r"|thinking)|trying to tell)|\b(?:underneath|behind) (?:it|this|that|the)\b",
    r"\bmany people (?:who|in your|find|feel|tell)|\b(?:is|are) (?:very )?real\b|\b(?:often|usually|sometimes) (?:the"
    r" first |a )?(?:signs?|stands? in|points? to|hides?|covers?|tells? us)\b|\b(?:deserves?|worth) (?:to be|being)"
    r" (?:heard|taken seriously|looked at)",
)

COURTESY: Final = _any(
    r"^(?:i )?hope (?:this|that|it|these) (?:helps?|is|was)|\b(?:good luck|best of luck|break a leg|happy to help|glad"
    r" to help|let me know|feel free|anything else|all the best|take care|enjoy|have (?:fun|a (?:good|great|lovely"
    r"|nice)))\b"
)


TENDER: Final = re.compile(
    r"\b(?:feelings?|emotion\w*|well-?being|stress\w*|anxi\w+|overwhelm\w*|pressures?|burdens?|lonel\w+|grie[fv]\w*"
    r"|shame|self-care|compassion\w*|mindful\w*|gentle|gently|kindness|kinder|kind to|breath\w*|journal\w*|struggl\w+"
    r"|cop(?:e|ing)|support(?:ed|ive)?|counsell?\w+|therap\w+|mental health|listen(?:s|ed|ing)?|heal(?:ing)?"
    r"|vulnerab\w+|trusted|hurt(?:s|ing)?|pain|tender|worr(?:y|ies|ied)|fears?|afraid|exhaust\w+|comfort\w*|reassur\w+"
    r"|someone you|how you feel|ask yourself|reflect\w*|explore|hard on|weigh\w*|cry\w*|tears?|heart|courage|brave)\b"
)
"""Words of care, which in a text that should be about something else make a unit part of the consolation."""


_WEAK_WORDS: Final = 3
_CLOSING_YOU: Final = re.compile(r"\b(?:you|your|you're|you've|you'd|you'll|yourself|yours)\b")
_CLOSING_FELT: Final = re.compile(
    r"\b(?:nervous|nerves|jumpy|jitters|sleepless|unbearable|proud|lonel\w+|alone|scared|frighten\w+|afraid|worr(?:y"
    r"|ies|ied)|upset|sad(?:ness)?|griev\w+|grief|tired|exhaust\w+|weary|overwhelm\w+|stress\w*|anxi\w+|panic\w*"
    r"|embarrass\w*|asham\w+|guilt\w*|shame|angry|hurting|heartache|heart|tears|cry|crying|miss (?:him|her|them|it)"
    r"|missing (?:him|her|them|someone)|kindness|kinder|gentle(?! (?:heat|simmer))|brave\w*|courage|glad|relie(?:f"
    r"|ved)|comfort\w*|peace|company|loved|cared|breather|rotten|rough|lousy|brutal|grim|wretched|shaken|counsell?\w+"
    r"|scares?|dread\w*|hurts|sore|aches?|hugs?|cuddle|kindly|looked after|carer?s?\b(?= for you| about you)|lonelier"
    r"|loneliest|forgiv\w+|deserv\w+|a breather|to yourself|lucky|good hands|on your (?:side|plate|shoulders|mind)"
    r"|beside you|beats? yourself|juggling|bereave\w*|mourn\w*|heartbreak\w*|shaky|unsettl\w+|rattl\w+|shock|on edge"
    r"|dignity|moving|touching|cheer\w*|laugh\w*|smile|well done|therap\w+|samaritans|confide|lean on|hard on"
    r"|feelings?)\b"
)


_CLOSING_WHO: Final = re.compile(
    r"\b(?:some(?:one|body)|any(?:one|body)|friends?|family|parents?|mum|mom|dad|sister|brother|partner|mates?"
    r"|neighbours?|people) (?:\w+ )?(?:with|to (?!check|write|call)|know|around|near|nearby|you|who|about|there"
    r"|coming)\b"
)
_CLOSING_WEAK: Final = re.compile(
    r"\b(?:holding|hold|carry\w*|load|weight|burden|share|sharing|shared|listen\w*|talk\w*|chat|hear|say more|sleep\w*"
    r"|rest|tea|cuppa|kettle|bath|walk|fresh air|eat|eaten|treat|enjoy|joy|love|lov(?:ed|ing)|care|caring|cares|strong"
    r"|strength|steady|calm|settle\w*|patient|patience|easier|hard(?:er|est)?|tough|rough|long (?:day|week|month|year"
    r"|haul|night)s?|lot|big|deal|night|evening|friends?|someone|somebody|anyone|anybody|neighbour|sister|brother"
    r"|family|colleague|mates?|help|support|worth|trust|safe|feel\w*|time|quiet|normal|ordinary|human|allowed|alright"
    r"|all right|okay|ok|fault|doing|own|both|heavy|life|whatever|through|since|difficult|matters?|gentle|gently|soft"
    r"|warm\w*|good|decent|remarkable|more than|enough)\b"
)
_CLOSING_GLAD: Final = re.compile(
    r"\bi(?:'m| am) (?:\w+ )?(?:glad|pleased|relieved|touched|sorry)\b(?!,? (?:to (?:help|assist|answer)|but|i can|for"
    r" (?:any|the)))"
)
_CLOSING_LISTENER: Final = re.compile(
    r"\b(?:(?:a|some|few|any|good|bereavement|family|grief) (?:\w+ )?(?:with (?:a|someone|your) )?(?:counsell?ors?"
    r"|counsell?ing|therapists?)|support groups?|samaritans|befriend\w+)\b"
)
_CLOSING_HOPE: Final = re.compile(
    r"\b(?:i (?:do |really )?hope|here's hoping|i wish (?:you|him|her|them)|wishing (?:you|him|her|them)|hope"
    r" you)\b(?! (?:this|that|it|these|you) (?:helps?|answers?|is (?:useful|clear|what)|was|works?|makes"
    r"|find))(?=.{0,120}\b(?:you|your|you're|he|she|they|them|him|her)\b)"
)


def closes(text: str) -> bool:
    """Whether a lower-case unit at the end of an answer joins the reader to a feeling.

    An answer that has come to its end and speaks of the reader's feelings has turned from the matter to the person; in
    the middle the same words may be the matter.
    """
    if "?" in text:
        return bool(_CLOSING_WHO.search(text) and _CLOSING_YOU.search(text))
    if _CLOSING_LISTENER.search(text) or _CLOSING_HOPE.search(text) or _CLOSING_GLAD.search(text):
        return True
    if _CLOSING_YOU.search(text) and len({m.group() for m in _CLOSING_WEAK.finditer(text)}) >= _WEAK_WORDS:
        return True
    # "If you're worried about the cost, ..." leads up to more advice.
    return bool(not text.startswith("if you") and _CLOSING_YOU.search(text) and _CLOSING_FELT.search(text))


def tender(text: str, asked: str) -> bool:
    """Whether a lower-case unit speaks of care in a word that the lower-case prompt did not bring up."""
    return any(m.group()[:5] not in asked for m in TENDER.finditer(text))


_SIEVE: Final = Sieve(
    {
        Cue.TEND: TEND, Cue.REFER: REFER, Cue.SOFT: SOFT, Cue.DEFER: DEFER,
        Cue.COURTESY: COURTESY, Cue.CHECK: CHECK,
    }
)  # fmt: skip


@lru_cache(maxsize=4096)
def cues(text: str) -> int:
    """What a lower-case unit does for the reader."""
    return _SIEVE.find(text)
