"""English wordings of the attributes, written as compact blocks and read into ``WORDINGS``.

A block: the key, then lines L (labels), D (documents), Q (questions), A (answer), and HD, HQ: wordings
that training never uses, built of words that the same block uses elsewhere.
"""

from __future__ import annotations

from core.starter.world._wordings_en_others import OTHERS
from core.starter.world.attributes import Wording

_PRODUCTS = """
price
L: Price | List price | Retail price
D: The {p} costs {v}. | The {p} is sold for {v}. | The price of the {p} is {v}. | You can buy the {p} for {v}. | We sell the {p} at a price of {v}. | For the {p} we charge {v}. | The {p} is available for {v}. | The list price of the {p} is {v}.
Q: How much does the {p} cost? | What is the price of the {p}? | How much is the {p}? | What does the {p} cost? | For how much is the {p} sold? | What do I pay for the {p}? | At what price do you sell the {p}? | How much do you charge for the {p}? | What is the list price of the {p}? | How much money do I need to buy the {p}?
A: The price of the {p} is {v}.
HD: The retail price of the {p} was set at {v}. | Anyone who wants to buy the {p} pays {v}.
HQ: I want to buy the {p}, how much is it? | The {p} is sold at what price? | How much would you charge me for the {p}?

member_price
L: Price for members | Member price | Club price
D: For members, the {p} costs {v}. | Members buy the {p} for {v}. | The member price of the {p} is {v}. | With a member card, the {p} is sold for {v}. | Club members do not pay the list price of the {p} but {v}. | As a member you get the {p} for {v}. | The club price of the {p} is {v}. | Club members get the {p} at {v}.
Q: How much does the {p} cost for members? | What is the member price of the {p}? | What do members pay for the {p}? | How much is the {p} with a member card? | What is the club price of the {p}? | I am a member. How much is the {p}? | At what price do members get the {p}? | As a member, what do I pay for the {p}? | What does the {p} cost club members?
A: For members, the {p} costs {v}.
HD: The price of the {p} for members of the club is {v}. | Customers with a member card get the {p} for {v}.
HQ: What do I pay for the {p} if I am a member? | What price do club members pay for the {p}? | With a member card, how much does the {p} cost?

weight
L: Weight | Net weight | Total weight
D: The {p} weighs {v}. | The {p} has a weight of {v}. | The weight of the {p} is {v}. | On the scales, the {p} comes to {v}. | Without packaging, the {p} weighs {v}. | The {p} is light to carry: it weighs {v}. | The net weight of the {p} is {v}. | With its parts, the {p} weighs in at {v}.
Q: How heavy is the {p}? | What does the {p} weigh? | What is the weight of the {p}? | How much does the {p} weigh? | What is the net weight of the {p}? | Can you tell me the weight of the {p}? | Is the {p} heavy? What does it weigh? | How many kilos or grams does the {p} weigh? | I have to carry the {p}. How heavy is it?
A: The {p} weighs {v}.
HD: The {p} comes to a total weight of {v}. | To carry the {p} means to carry {v}.
HQ: The {p} has what weight? | How heavy is the {p} to carry? | What do the scales say for the {p}, how much does it weigh?

width
L: Width | Total width | Width of the unit
D: The {p} is {v} wide. | The {p} has a width of {v}. | The width of the {p} is {v}. | From side to side, the {p} measures {v}. | The {p} measures {v} in width. | On the shelf, the {p} takes up {v} of width. | The {p} needs a space {v} wide. | From left to right, the {p} measures {v}.
Q: How wide is the {p}? | What is the width of the {p}? | What width does the {p} have? | How much width does the {p} need? | How wide a space does the {p} need? | Can you give me the width of the {p}? | What does the {p} measure from side to side? | What does the {p} measure in width? | I have a narrow shelf. How wide is the {p}?
A: The {p} is {v} wide.
HD: The {p} measures {v} from its left side to its right side. | In width, the {p} takes up {v}.
HQ: The {p} is how wide? | What is the {p}'s width from left to right? | How much width does the {p} take up on a shelf?

height
L: Height | Total height | Height of the unit
D: The {p} is {v} high. | The {p} has a height of {v}. | The height of the {p} is {v}. | From the floor to its top, the {p} measures {v}. | The {p} measures {v} in height. | The {p} stands {v} tall. | The {p} is {v} tall with its lid closed. | At its highest point, the {p} is {v} tall.
Q: How high is the {p}? | What is the height of the {p}? | How tall is the {p}? | What height does the {p} have? | Can you give me the height of the {p}? | How tall does the {p} stand? | What does the {p} measure from the floor to its top? | What does the {p} measure in height? | I have a low shelf. How high is the {p}?
A: The {p} is {v} high.
HD: The top of the {p} stands {v} above the floor. | In height, the {p} comes to {v}.
HQ: The {p} is how tall? | What is the {p}'s height with its lid closed? | How high does the {p} stand above the floor?

depth
L: Depth | Total depth | Depth of the unit
D: The {p} is {v} deep. | The {p} has a depth of {v}. | The depth of the {p} is {v}. | From front to back, the {p} measures {v}. | The {p} measures {v} in depth. | The {p} needs a cupboard {v} deep. | Between the wall and its front, the {p} takes {v}. | The {p} reaches {v} into the room.
Q: How deep is the {p}? | What is the depth of the {p}? | What depth does the {p} have? | How deep a cupboard does the {p} need? | Can you give me the depth of the {p}? | What does the {p} measure from front to back? | What does the {p} measure in depth? | How far does the {p} reach into the room? | My cupboard is small. How deep is the {p}?
A: The {p} is {v} deep.
HD: The {p} measures {v} from the wall to its front. | In depth, the {p} needs {v}.
HQ: The {p} is how deep? | What is the {p}'s depth from front to back? | How much depth does the {p} need in a cupboard?

colour
L: Colour | Colour of the case | Finish
D: The {p} is sold in {v}. | The {p} comes in {v}. | The case of the {p} is {v}. | The colour of the {p} is {v}. | We paint the {p} in {v}. | The {p} has a {v} finish. | The only colour of the {p} is {v}. | The {p} is available in {v}.
Q: What colour is the {p}? | Which colour does the {p} come in? | In what colour is the {p} sold? | What is the colour of the {p}? | What colour is the case of the {p}? | Which finish does the {p} have? | In which colour is the {p} available? | What colour do you paint the {p}? | Can you tell me the colour of the {p}?
A: The {p} comes in {v}.
HD: The colour in which we sell the {p} is {v}. | The case of the {p} is available only in {v}.
HQ: The {p} comes in what colour? | Which colour is the {p} painted? | What is the finish of the {p}'s case?

material
L: Material | Material of the body | Body material
D: The {p} is made of {v}. | The body of the {p} consists of {v}. | The material of the {p} is {v}. | For the {p} we use {v}. | The housing of the {p} is made from {v}. | The {p} has a body of {v}. | The outside of the {p} is {v}. | We build the {p} from {v}.
Q: What is the {p} made of? | Which material is the {p} made of? | What is the material of the {p}? | What does the body of the {p} consist of? | From which material is the {p} built? | Which material do you use for the {p}? | What is the housing of the {p} made from? | What kind of material is the {p}? | Can you tell me what the {p} is made of?
A: The {p} is made of {v}.
HD: The material that we use for the body of the {p} is {v}. | The {p} consists of {v} on the outside.
HQ: The {p} is built from what material? | What material does the {p} consist of? | What do you make the housing of the {p} from?

made_in
L: Made in | Place of production | Factory
D: The {p} is made in {v}. | We build the {p} in {v}. | The {p} is produced at our plant in {v}. | The {p} comes from our factory in {v}. | Our workers assemble the {p} in {v}. | The {p} is manufactured in {v}. | Production of the {p} takes place in {v}. | The factory for the {p} stands in {v}.
Q: Where is the {p} made? | In which city is the {p} produced? | Where do you build the {p}? | Where does the {p} come from? | Where is the factory for the {p}? | In which city is the {p} manufactured? | Where does production of the {p} take place? | Which city is the {p} made in? | Where do your workers assemble the {p}?
A: The {p} is made in {v}.
HD: The plant that makes the {p} is in {v}. | The {p} is assembled by our workers in {v}.
HQ: The {p} is built in which city? | In which city does your factory make the {p}? | From what place does the {p} come?

warranty
L: Warranty | Warranty period | Guarantee
D: The {p} has a warranty of {v}. | The {p} comes with a {v} warranty. | The warranty of the {p} lasts {v}. | We guarantee the {p} for {v}. | The {p} is under warranty for {v}. | The warranty period of the {p} is {v}. | Our guarantee covers the {p} for {v}. | If the {p} breaks, our warranty covers it for {v}.
Q: How long is the warranty of the {p}? | What warranty does the {p} have? | For how long is the {p} guaranteed? | How many months is the {p} under warranty? | What is the warranty period of the {p}? | How long does the guarantee cover the {p}? | How long does the warranty of the {p} last? | For how long do you guarantee the {p}? | What guarantee comes with the {p}?
A: The warranty of the {p} is {v}.
HD: Our warranty on the {p} ends after {v}. | The {p} is covered by a guarantee of {v}.
HQ: The {p} comes with how long a warranty? | If the {p} breaks, for how long does the warranty cover it? | How many months of guarantee does the {p} have?

battery_life
L: Battery life | Running time | Running time of the battery
D: The battery of the {p} runs for {v}. | The {p} works for {v} on one charge. | One charge keeps the {p} going for {v}. | The {p} has a battery life of {v}. | With a full battery, the {p} runs for {v}. | The battery life of the {p} is {v}. | The battery of the {p} lasts {v}. | You can use the {p} for {v} before the battery is empty.
Q: How long does the battery of the {p} last? | What is the battery life of the {p}? | How many hours does the {p} run on one charge? | How long can I use the {p} on one charge? | How long does the {p} work with a full battery? | After how many hours is the battery of the {p} empty? | What battery life does the {p} have? | How long does one charge keep the {p} going? | What is the running time of the {p}?
A: The battery of the {p} lasts {v}.
HD: On a full charge, the {p} can be used for {v}. | The battery keeps the {p} running for {v}.
HQ: The {p} runs for how many hours on a full battery? | One charge of the {p} lasts how long? | How long will the battery keep the {p} running?

charging_time
L: Charging time | Time to charge | Time for a full charge
D: The {p} is fully charged after {v}. | Charging the {p} takes {v}. | The charging time of the {p} is {v}. | The {p} needs {v} to charge. | It takes the {p} {v} to charge. | Leave the {p} on the charger for {v}. | The {p} charges in {v}. | A full charge of the {p} takes {v}.
Q: How long does it take to charge the {p}? | What is the charging time of the {p}? | How long does the {p} need to charge? | When is the {p} fully charged? | How long must the {p} stay on the charger? | How many minutes does charging the {p} take? | In what time does the {p} charge? | How long does a full charge of the {p} take? | After how many minutes is the {p} fully charged?
A: Charging the {p} takes {v}.
HD: Once on the charger, the {p} is full after {v}. | The time to charge the {p} is {v}.
HQ: The {p} is on the charger, when is it full? | For how long do I leave the {p} on the charger? | How many minutes does the {p} need for a full charge?

power
L: Power | Power consumption | Power rating
D: The {p} uses {v}. | The {p} has a power of {v}. | The power consumption of the {p} is {v}. | The motor of the {p} draws {v}. | The {p} needs {v} of electric power. | The {p} runs at {v}. | The power rating of the {p} is {v}. | At full power, the {p} uses {v}.
Q: How many watts does the {p} use? | What is the power of the {p}? | How much power does the {p} need? | What is the power consumption of the {p}? | How much electric power does the {p} draw? | What power does the {p} have? | At how many watts does the {p} run? | What is the power rating of the {p}? | How powerful is the {p}?
A: The {p} uses {v}.
HD: The electric power that the {p} draws is {v}. | The {p} has a motor that needs {v}.
HQ: The {p} draws how many watts? | How many watts is the {p} at full power? | What does the {p} consume in watts?

noise
L: Noise | Noise level | Sound level
D: The {p} makes a noise of {v}. | The noise level of the {p} is {v}. | The {p} works at {v}. | In use, the {p} reaches {v}. | The {p} is no louder than {v}. | The sound of the {p} was measured at {v}. | The {p} runs quietly at {v}. | The {p} produces {v} of noise.
Q: How loud is the {p}? | What is the noise level of the {p}? | How many decibels does the {p} make? | How much noise does the {p} make? | How quiet is the {p}? | How loud does the {p} get in use? | What sound level does the {p} have? | How many decibels does the {p} reach? | Is the {p} loud? How many decibels?
A: The noise level of the {p} is {v}.
HD: The noise that the {p} makes was measured at {v}. | In use, the {p} is as loud as {v}.
HQ: The {p} reaches what noise level in use? | How many decibels of noise does the {p} produce? | What sound level was measured for the {p}?

capacity
L: Capacity | Tank capacity | Volume
D: The {p} holds {v}. | The {p} has a capacity of {v}. | The capacity of the {p} is {v}. | The tank of the {p} holds {v}. | You can fill the {p} with {v}. | There is room in the {p} for {v}. | The {p} takes {v}. | The volume of the {p} is {v}.
Q: How much does the {p} hold? | What is the capacity of the {p}? | How many litres does the {p} hold? | How big is the tank of the {p}? | How many litres fit into the {p}? | What capacity does the {p} have? | How much can I fill into the {p}? | What is the volume of the {p}? | How many litres does the tank of the {p} take?
A: The {p} holds {v}.
HD: The tank of the {p} is full at {v}. | The {p} has room for {v}.
HQ: The {p} takes how many litres? | With how many litres can I fill the {p}? | There is room for how many litres in the {p}?

cord_length
L: Cord length | Length of the cord | Cable length
D: The cord of the {p} is {v} long. | The {p} has a cord of {v}. | The {p} comes with a {v} cable. | The cord length of the {p} is {v}. | The {p} has a power cable of {v}. | The cable of the {p} measures {v}. | The cord of the {p} reaches {v}. | The {p} can stand {v} from the socket, as long as its cord.
Q: How long is the cord of the {p}? | What is the cord length of the {p}? | How long is the cable of the {p}? | How many metres is the cord of the {p}? | How far does the cord of the {p} reach? | What length does the cable of the {p} have? | How many metres of cable does the {p} have? | How far from the socket can the {p} stand? | Is the cord of the {p} long? How many metres?
A: The cord of the {p} is {v} long.
HD: From the {p} to the socket, the cord reaches {v}. | The length of the cable on the {p} is {v}.
HQ: The {p} has a cord of what length? | How many metres does the {p}'s cable measure? | The cable of the {p} reaches how far?

release_date
L: Release date | On sale since | Date of release
D: The {p} was released on {v}. | The {p} has been on sale since {v}. | The release date of the {p} is {v}. | We brought the {p} to market on {v}. | The {p} went on sale on {v}. | Sales of the {p} started on {v}. | The {p} was first sold on {v}. | The {p} came out on {v}.
Q: When was the {p} released? | Since when has the {p} been on sale? | What is the release date of the {p}? | When did the {p} come out? | When did you bring the {p} to market? | On what day did the {p} go on sale? | When did sales of the {p} start? | When was the {p} first sold? | On which date was the {p} released?
A: The {p} was released on {v}.
HD: The day on which the {p} first went on sale was {v}. | The {p} reached the market on {v}.
HQ: The {p} came out on what date? | On which day did you release the {p}? | Since what date have you sold the {p}?

return_period
L: Return period | Returns accepted within | Return within
D: You can return the {p} within {v}. | Returns of the {p} are accepted for {v}. | The {p} may be sent back within {v} of purchase. | The return period of the {p} is {v}. | If you do not like the {p}, bring it back within {v}. | The {p} can be returned for {v} after purchase. | Customers may give back the {p} within {v}. | We take the {p} back for {v}.
Q: Until when can I return the {p}? | How long can I return the {p}? | What is the return period of the {p}? | How many days do I have to return the {p}? | Within how many days can I send the {p} back? | I do not like the {p}. How long can I bring it back? | For how long are returns of the {p} accepted? | For how long do you take the {p} back? | How many days after purchase can I give back the {p}?
A: You can return the {p} within {v}.
HD: After the purchase of the {p}, customers can bring it back for {v}. | We accept a return of the {p} within {v}.
HQ: The {p} can be sent back within how many days? | How long after purchase do you take back the {p}? | I want to give the {p} back, how many days do I have?

delivery_time
L: Delivery time | Delivery within | Time to deliver
D: The {p} is delivered within {v}. | Delivery of the {p} takes {v}. | The delivery time of the {p} is {v}. | The {p} arrives within {v}. | We ship the {p} so that it arrives after {v}. | You receive the {p} within {v} of your order. | Orders of the {p} arrive in {v}. | The {p} reaches you in {v}.
Q: How long does delivery of the {p} take? | What is the delivery time of the {p}? | When will the {p} arrive? | In how many days do I receive the {p}? | How many days until the {p} is delivered? | How fast do you deliver the {p}? | How long do I wait for the {p} after my order? | Within how many days does the {p} arrive? | How soon can the {p} reach me?
A: The {p} is delivered within {v}.
HD: After an order of the {p}, delivery takes {v}. | We deliver the {p} to you in {v}.
HQ: The {p} arrives after how many days? | I order the {p} now, how long does it take to arrive? | How many days does it take you to ship the {p}?

spare_part
L: Spare part | Spare part code | Part number
D: The spare part for the {p} is {v}. | For the {p}, order spare part {v}. | The {p} needs part {v}. | The spare part code of the {p} is {v}. | If a part of the {p} is worn, replace it with {v}. | The part number for the {p} is {v}. | The {p} uses the replacement part {v}. | Parts for the {p} carry the code {v}.
Q: Which spare part does the {p} need? | What is the spare part code of the {p}? | Which part do I order for the {p}? | What is the part number for the {p}? | Which replacement part fits the {p}? | What spare part must I order for the {p}? | A part of my {p} is worn. Which code do I order? | Which code do parts for the {p} carry? | Which part number belongs to the {p}?
A: The spare part for the {p} is {v}.
HD: The replacement part that fits the {p} has the code {v}. | Order a new part for the {p} under {v}.
HQ: The {p} uses which spare part? | Under what part number do I order a spare for the {p}? | What code does the replacement part of the {p} carry?

filter_interval
L: Filter change | Change the filter every | Filter interval
D: The filter of the {p} must be replaced every {v}. | Replace the filter of the {p} every {v}. | A filter in the {p} lasts {v}. | The {p} needs a new filter every {v}. | The filter interval of the {p} is {v}. | Put a new filter into the {p} after {v}. | The {p} runs for {v} with one filter. | Change the filter of the {p} after {v} of use.
Q: How often must I replace the filter of the {p}? | When does the {p} need a new filter? | How long does a filter in the {p} last? | After how many months do I change the filter of the {p}? | What is the filter interval of the {p}? | How often does the filter of the {p} have to be changed? | How many months does the filter of the {p} last? | How long can I use one filter in the {p}? | When do I put a new filter into the {p}?
A: The filter of the {p} must be replaced every {v}.
HD: One filter is enough for the {p} for {v}. | The {p} has a filter that you change every {v}.
HQ: The {p} needs a filter change after how many months? | How many months can the {p} run with one filter? | The filter of the {p} is replaced how often?

cleaning_tool
L: Cleaning | Clean with | Cleaning tool
D: Clean the {p} with {v}. | To clean the {p}, use {v}. | The {p} is best cleaned with {v}. | For cleaning the {p} we recommend {v}. | The {p} should be wiped with {v}. | Dirt on the {p} comes off with {v}. | Care of the {p} needs only {v}. | When the {p} is dirty, take {v}.
Q: What do I clean the {p} with? | How should I clean the {p}? | What should I use to clean the {p}? | With what is the {p} best cleaned? | What do you recommend for cleaning the {p}? | My {p} is dirty. What do I take? | How does dirt come off the {p}? | What do I need for the care of the {p}? | What can I wipe the {p} with?
A: Clean the {p} with {v}.
HD: If there is dirt on the {p}, wipe it with {v}. | What we recommend for the care of the {p} is {v}.
HQ: The {p} is cleaned with what? | What is best for cleaning a dirty {p}? | To wipe the {p}, what should I take?

max_temperature
L: Maximum temperature | Highest temperature | Temperature up to
D: The {p} reaches {v}. | The maximum temperature of the {p} is {v}. | The {p} heats up to {v}. | The {p} can be set to at most {v}. | The {p} gets no hotter than {v}. | At its highest setting, the {p} reaches {v}. | The {p} heats to a maximum of {v}. | The temperature of the {p} goes up to {v}.
Q: How hot does the {p} get? | What is the maximum temperature of the {p}? | Up to what temperature does the {p} heat? | What is the highest temperature of the {p}? | To how many degrees can I set the {p}? | How many degrees does the {p} reach? | How hot can the {p} be set? | What temperature does the {p} reach at most? | How far up does the temperature of the {p} go?
A: The {p} heats up to {v}.
HD: The highest temperature that the {p} can be set to is {v}. | The {p} gets as hot as {v}.
HQ: The {p} heats to how many degrees at most? | What is the {p}'s temperature at its highest setting? | How many degrees is the maximum of the {p}?

voltage
L: Voltage | Mains voltage | Rated voltage
D: The {p} runs on {v}. | The voltage of the {p} is {v}. | The {p} needs a supply of {v}. | Connect the {p} only to {v}. | The {p} is built for {v}. | The {p} works with {v}. | The rated voltage of the {p} is {v}. | The {p} must be used with a supply of {v}.
Q: What voltage does the {p} need? | What is the voltage of the {p}? | How many volts does the {p} need? | On what voltage does the {p} run? | To how many volts do I connect the {p}? | Which voltage is the {p} built for? | With how many volts does the {p} work? | What supply does the {p} need, how many volts? | What is the rated voltage of the {p}?
A: The {p} runs on {v}.
HD: The supply that the {p} is built for has {v}. | The {p} is connected to a voltage of {v}.
HQ: The {p} runs on how many volts? | How many volts must the supply of the {p} have? | To what voltage may I connect the {p}?

water_resistance
L: Water resistance | Protection class | Water protection
D: The {p} is protected to {v}. | The water resistance of the {p} is {v}. | The {p} meets {v}. | Against water, the {p} has class {v}. | The {p} is rated {v}. | The protection class of the {p} is {v}. | The {p} was tested for water to {v}. | The case of the {p} keeps out water to class {v}.
Q: How water resistant is the {p}? | What is the water resistance of the {p}? | Which protection class does the {p} have? | How is the {p} rated against water? | Which IP rating does the {p} have? | How well is the {p} protected against water? | Which class of water protection does the {p} meet? | What is the protection class of the {p}? | To which class was the {p} tested for water?
A: The water resistance of the {p} is {v}.
HD: Tested against water, the {p} meets class {v}. | The protection of the {p} against water is rated {v}.
HQ: The {p} is rated to which IP class? | To what class does the case of the {p} keep out water? | What water protection rating does the {p} have?

app_name
L: App | App name | Control app
D: The {p} works with the app {v}. | You control the {p} with the {v} app. | The app for the {p} is called {v}. | To set up the {p}, install {v}. | The {p} connects to {v}. | On a phone, the {p} is controlled with {v}. | The name of the app for the {p} is {v}. | For the {p}, download the app {v}.
Q: Which app works with the {p}? | What is the app for the {p} called? | Which app do I need for the {p}? | With which app do I control the {p}? | Which app must I install for the {p}? | What is the name of the app for the {p}? | What app should I download for the {p}? | To which app does the {p} connect? | How do I control the {p} from my phone, with which app?
A: The app for the {p} is called {v}.
HD: The {p} is set up from a phone with {v}. | Install the app that controls the {p}: {v}.
HQ: The {p} is controlled by which app? | I want to set up the {p} on my phone, which app is it? | What is the app called that connects to the {p}?

accessory
L: Accessory | In the box | Included accessory
D: The {p} comes with {v}. | In the box with the {p} you find {v}. | The {p} includes {v}. | Together with the {p} we supply {v}. | The accessory of the {p} is {v}. | Every {p} is packed with {v}. | With the {p} you also get {v}. | The box of the {p} also holds {v}.
Q: What accessory comes with the {p}? | What is in the box with the {p}? | What does the {p} include? | What do you supply together with the {p}? | Which accessory does the {p} have? | What else is packed with the {p}? | What do I get with the {p}? | What does the box of the {p} hold? | Which accessory is included with the {p}?
A: The {p} comes with {v}.
HD: Included in the box of every {p} is {v}. | You get the {p} together with {v}.
HQ: The {p} is packed with which accessory? | Which accessory do I find in the box of the {p}? | What is included when I get the {p}?

model_number
L: Model number | Model | Model code
D: The model number of the {p} is {v}. | The {p} carries the model number {v}. | The {p} is listed as model {v}. | On its label, the {p} is called {v}. | The label of the {p} says {v}. | We list the {p} under {v}. | The model code of the {p} is {v}. | Ask for the {p} by its model number {v}.
Q: What is the model number of the {p}? | Which model number does the {p} carry? | Under which model number is the {p} listed? | What is the model code of the {p}? | What does the label of the {p} say? | What model number does the {p} have? | As which model is the {p} listed? | Which code is on the label of the {p}? | By which model number do I ask for the {p}?
A: The model number of the {p} is {v}.
HD: The number on the label of the {p} is {v}. | The {p} has the code {v} in our model list.
HQ: The {p} is listed under what model code? | Which number is printed as the model of the {p}? | What model does the label of the {p} say?

energy_class
L: Energy class | Energy rating | Energy label
D: The {p} is in energy class {v}. | The energy class of the {p} is {v}. | The {p} has the energy label {v}. | The {p} reaches energy class {v}. | For energy use, the {p} is rated {v}. | The energy rating of the {p} is {v}. | On the energy label of the {p} stands {v}. | The {p} saves energy and is rated {v}.
Q: What is the energy class of the {p}? | Which energy class is the {p} in? | What energy label does the {p} have? | How is the {p} rated for energy use? | What is the energy rating of the {p}? | Which energy class does the {p} reach? | What stands on the energy label of the {p}? | Does the {p} save energy? Which class is it in? | What energy class does the {p} have?
A: The energy class of the {p} is {v}.
HD: The energy use of the {p} puts it in class {v}. | The label for energy says that the {p} reaches {v}.
HQ: The {p} is rated in which energy class? | What class does the energy label give the {p}? | For energy use, which rating does the {p} have?

room_size
L: Room size | For rooms up to | Suitable for rooms of
D: The {p} is suitable for rooms up to {v}. | The {p} covers {v}. | Use the {p} in rooms of up to {v}. | The {p} is made for a room of {v}. | The {p} is strong enough for {v}. | The room size for the {p} is {v}. | The {p} works well in rooms up to {v}. | The {p} serves a floor area of {v}.
Q: For what room size is the {p} suitable? | How big may the room be for the {p}? | How many square metres does the {p} cover? | In how large a room can I use the {p}? | For which room size is the {p} made? | What floor area does the {p} serve? | Up to how many square metres is the {p} strong enough? | How large a room does the {p} cover? | What is the room size for the {p}?
A: The {p} is suitable for rooms up to {v}.
HD: The largest room in which the {p} works well has {v}. | The {p} is made to cover a floor area of {v}.
HQ: The {p} is strong enough for what room size? | A room of how many square metres does the {p} serve? | How large may the floor area be for the {p}?

dishwasher_safe
L: Dishwasher safe | Safe in the dishwasher | May go into the dishwasher
D: Is the {p} dishwasher safe? The answer is {v}. | Dishwasher safe parts of the {p}: {v}. | May the {p} go into the dishwasher? Our answer: {v}. | For the {p}, the entry "dishwasher safe" says {v}. | Can you put the {p} into the dishwasher? We say {v}. | Washing the {p} in the dishwasher: {v}. | The {p} in the dishwasher: {v}.
Q: Is the {p} dishwasher safe? | Can I put the {p} into the dishwasher? | May the {p} go into the dishwasher? | Can the {p} be washed in the dishwasher? | Is it safe to put the {p} in the dishwasher? | Am I allowed to wash the {p} in the dishwasher? | Is the {p} safe in the dishwasher? | Does the {p} go in the dishwasher? | Can parts of the {p} go into the dishwasher?
A: Is the {p} dishwasher safe? The answer is {v}.
HD: Put the {p} in the dishwasher? We say {v}. | Whether the {p} is safe in the dishwasher: {v}.
HQ: Could the {p} be put into the dishwasher? | Is the dishwasher allowed for the {p}? | Washing the {p} in the dishwasher, is that safe?

error_fix
L: Error {e} | Fix for error {e} | When error {e} shows
D: If the {p} shows error {e}, {v}. | On error {e} of the {p}, {v}. | Error {e} on the {p}: {v}. | When the {p} reports {e}, {v}. | If error {e} appears on the {p}, {v}. | If the {p} stops with error {e}, {v}. | To fix error {e} on the {p}, {v}. | Should the display of the {p} show {e}, {v}.
Q: What should I do when the {p} shows error {e}? | How do I fix error {e} on the {p}? | My {p} shows error {e}. What can I do? | What do I do about error {e} of the {p}? | The {p} reports {e}. What should I do? | The {p} stopped with error {e}. What now? | Error {e} appears on the {p}. How do I fix it? | The display of my {p} says {e}. What must I do? | How is error {e} of the {p} fixed?
A: When the {p} shows error {e}, {v}.
HD: The {p} has stopped and the display says error {e}: {v}. | What fixes {e} on the {p} is this: {v}.
HQ: On my {p} the error {e} appears, how is it fixed? | What fixes the {p} after error {e}? | My {p} stopped and reports {e}, what do I do?

light_meaning
L: {e} light | Meaning of the {e} light | {e} lamp
D: A {e} light on the {p} means that {v}. | If the lamp of the {p} is {e}, {v}. | The {p} shows a {e} light when {v}. | The {e} light of the {p} tells you that {v}. | When the {p} lights up in {e}, {v}. | On the {p}, {e} means that {v}. | When the light on the {p} turns {e}, {v}. | The {e} lamp on the {p} is on as long as {v}.
Q: What does the {e} light on the {p} mean? | Why is the lamp of the {p} {e}? | The {p} shows a {e} light. What does it mean? | What does {e} mean on the {p}? | When does the {p} show a {e} light? | My {p} lights up in {e}. Why? | What does the {e} lamp of the {p} tell me? | The light on my {p} turned {e}. What is it? | Why does the light on the {p} turn {e}?
A: The {e} light on the {p} means that {v}.
HD: The lamp on the {p} turns {e} as soon as {v}. | What the {p} tells you with a {e} light is that {v}.
HQ: The lamp on my {p} is {e}, what does that mean? | Why has the {p} turned its light to {e}? | A {e} light on the {p} tells me what?

repair_fee
L: Repair fee | Cost of repair | Repair price
D: A repair of the {p} costs {v}. | The repair fee for the {p} is {v}. | We repair the {p} for {v}. | For repairing the {p} we charge {v}. | Having the {p} repaired costs {v}. | The {p} is repaired for a fixed fee of {v}. | If the {p} needs repair, you pay {v}. | Our workshop mends the {p} for {v}.
Q: How much does a repair of the {p} cost? | What is the repair fee for the {p}? | For how much do you repair the {p}? | What do you charge for repairing the {p}? | How much is it to have the {p} repaired? | My {p} is broken. What does the repair cost? | What do I pay when the {p} needs repair? | What does your workshop take to mend the {p}? | What does repairing the {p} cost?
A: A repair of the {p} costs {v}.
HD: The fixed fee for having the {p} mended is {v}. | You pay our workshop for a repair of the {p} {v}.
HQ: The {p} is broken, how much is the fee to repair it? | To mend the {p}, how much do you charge? | The {p} is repaired for what fee?

programs
L: Programmes | Number of programmes | Modes
D: The {p} has {v} programmes. | The {p} offers {v} programmes. | The number of programmes of the {p} is {v}. | You can choose between programmes on the {p}; there are {v}. | On the {p} you will find {v} modes. | The menu of the {p} lists {v} programmes. | The {p} comes with {v} modes. | The {p} knows {v} different programmes.
Q: How many programmes does the {p} have? | What is the number of programmes of the {p}? | How many programmes does the {p} offer? | How many modes does the {p} have? | Between how many programmes can I choose on the {p}? | How many modes will I find on the {p}? | How many programmes does the menu of the {p} list? | How many different programmes does the {p} know? | How many modes does the {p} come with?
A: The {p} has {v} programmes.
HD: In the menu of the {p} you can choose between {v} modes. | The programmes on the {p} number {v}.
HQ: The {p} offers how many modes? | What number of programmes will I find on the {p}? | How many programmes can I choose on the {p}?

designer
L: Designer | Designed by | Design
D: The {p} was designed by {v}. | The designer of the {p} is {v}. | The {p} is a design by {v}. | The shape of the {p} was drawn by {v}. | The {p} owes its look to {v}. | For the design of the {p} we thank {v}. | The {p} is the work of {v}. | The {p} got its shape from {v}.
Q: Who designed the {p}? | Who is the designer of the {p}? | Whose design is the {p}? | Who drew the shape of the {p}? | To whom does the {p} owe its look? | By whom was the {p} designed? | Whose work is the {p}? | What is the name of the designer of the {p}? | Who gave the {p} its shape?
A: The {p} was designed by {v}.
HD: The look of the {p} was drawn by its designer {v}. | The {p} was given its shape by {v}.
HQ: The {p} is the design of whom? | Whose design gave the {p} its look? | Who was it that drew the {p}?
"""


def read_blocks(text: str) -> dict[str, Wording]:
    """Reads blocks of wordings, parted by an empty line."""
    found = {}
    for block in text.strip().split("\n\n"):
        key, *lines = block.strip().splitlines()
        parts = {
            line.split(": ", 1)[0]: tuple(x.strip() for x in line.split(": ", 1)[1].split(" | ")) for line in lines
        }
        found[key] = Wording(parts["L"], parts["D"], parts["Q"], parts["A"][0], parts["HD"], parts["HQ"])
    return found


WORDINGS: dict[str, Wording] = read_blocks(_PRODUCTS + "\n" + OTHERS)
